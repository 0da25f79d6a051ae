using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Formats.Tests;

/// <summary>A plain Llama in PyTorch gives the logits and gradients of ours from the same folder. Where PyTorch is not installed the tests skip with the reason; where
/// CAIRN_REQUIRE_TORCH is set they fail.</summary>
public sealed class TorchTests
{
    private static readonly Lazy<string?> Python = new(() => ((string[])["/usr/bin/python3", "python3"]).FirstOrDefault(one => TryRun(one, ["-c", "import torch"]).Code == 0));

    [Theory]
    [InlineData("tied")]
    [InlineData("untied, heads of another width, stretched as in Llama 3.1")]
    [InlineData("stretched evenly, in half precision, in several files")]
    public void PyTorch_gives_the_same_logits_and_gradients(string kind)
    {
        var required = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_TORCH") is { Length: > 0 };
        Assert.SkipWhen(Python.Value is null && !required, "PyTorch is not installed here: apt-get install python3-torch");
        var shape = Tiny.Shape with { RopeTheta = 500, NormEpsilon = 1e-5f };
        shape = kind.StartsWith("untied", StringComparison.Ordinal)
            ? shape with { TiedHead = false, HeadWidth = 40, RopeScaling = new RopeScaling(8, new RopeBlend(1, 4, 64)) }
            : kind.StartsWith("stretched", StringComparison.Ordinal) ? shape with { RopeScaling = new RopeScaling(4) } : shape;
        using var tiny = new Tiny(shape);
        var folder = tiny.Folder;
        if (kind.Contains("half", StringComparison.Ordinal))
        {
            folder = tiny.At("half");
            using var whole = ModelFile.Open(tiny.Folder);
            ModelWriter.WriteHuggingFace(whole, folder, NumberType.BF16, shardBytesMax: 50_000);
        }

        var random = new SeededRandom(7, "tokens");
        var tokens = Enumerable.Range(0, shape.Context + 1).Select(_ => random.NextBelow(shape.Vocabulary)).ToArray();
        File.WriteAllText(tiny.At("tokens.json"), JsonSerializer.Serialize(tokens));
        var (code, output) = TryRun(Python.Value!, [Path.Combine(LlamaCppTests.Root, "tools/torch-llama.py"), folder, tiny.At("tokens.json"), tiny.At("out")]);
        Assert.True(code == 0, output);
        Compare(folder, tokens, tiny.At("out"));
    }

    private static void Compare(string folder, int[] tokens, string theirs)
    {
        using var model = ModelFile.Open(folder);
        using var parameters = model.LoadParameters();
        using var kernels = new CpuKernels(1);
        var length = tokens.Length - 1;
        using (var reader = new LogitReader(parameters, kernels, length))
        {
            var logits = Floats(Path.Combine(theirs, "logits.bin"));
            var vocabulary = model.Shape.Vocabulary;
            reader.Read(tokens.AsSpan(0, length), (place, row) => Near(logits.AsSpan(place * vocabulary, vocabulary), row, 1e-4, $"logits after token {place}"));
        }

        using var transformer = new Transformer(model.Layout, kernels, 1, length);
        using var gradients = Parameters.NewBuffer(model.Layout);
        var loss = transformer.ForwardBackward(parameters, gradients, tokens.AsSpan(0, length), tokens.AsSpan(1), 1, length);
        Assert.Equal(double.Parse(File.ReadAllText(Path.Combine(theirs, "loss.txt")), CultureInfo.InvariantCulture), loss, 1e-4);
        foreach (var tensor in model.Layout.Tensors)
        {
            Near(Floats(Path.Combine(theirs, tensor.Name + ".grad")), tensor.In(gradients), 1e-3, tensor.Name);
        }
    }

    // The error relative to the size of all of them.
    private static void Near(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        var (error, size) = (0.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            error = Math.Max(error, Math.Abs(expected[i] - (double)actual[i]));
            size = Math.Max(size, Math.Abs(expected[i]));
        }

        Assert.True(error <= tolerance * size, $"{what} are {error} off, of {size}");
    }

    private static float[] Floats(string path) => MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(path)).ToArray();

    private static (int Code, string Output) TryRun(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + error.Result);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }
}
