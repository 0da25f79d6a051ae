using System.Diagnostics;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats.Tests;

/// <summary>llama.cpp reads what we write, with the same ids and losses. Where node-llama-cpp is not installed the test skips with the reason; where CAIRN_REQUIRE_LLAMA_CPP is
/// set it fails.</summary>
public sealed class LlamaCppTests
{
    internal static readonly string Root = FindRoot();

    [Theory]
    [InlineData(TokenizerFamily.Llama3, NumberType.F32, false)]
    [InlineData(TokenizerFamily.Gpt2, NumberType.F16, true)]
    [InlineData(TokenizerFamily.Qwen2, NumberType.Q80, false)]
    [InlineData(TokenizerFamily.SentencePiece, NumberType.F32, true)]
    public void Llama_cpp_gives_the_same_of_the_same_file(TokenizerFamily family, NumberType type, bool stretched)
    {
        var modules = Environment.GetEnvironmentVariable("CAIRN_LLAMA_CPP") is { Length: > 0 } given ? given : Path.Combine(Root, "tools/llama-cpp");
        var missing = !Directory.Exists(Path.Combine(modules, "node_modules/node-llama-cpp"));
        var required = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_LLAMA_CPP") is { Length: > 0 };
        Assert.SkipWhen(missing && !required, "llama.cpp is not installed here: npm ci --omit=optional --ignore-scripts in tools/llama-cpp, or its folder in CAIRN_LLAMA_CPP");

        var tokenizer = family == TokenizerFamily.SentencePiece ? Families.Characters(SpacePrefix.EverySegment) : Tiny.TokenizerOf(450, family);
        var shape = new ModelShape(tokenizer.VocabularySize, 64, 2, 4, 2, 96, 128, TiedHead: false);
        shape = stretched ? shape with { HeadWidth = 32, RopeScaling = new RopeScaling(8, new RopeBlend(1, 4, 32)) } : shape;
        using var tiny = new Tiny(shape, tokenizer: tokenizer);
        using (var model = ModelFile.Open(tiny.Folder))
        {
            ModelWriter.WriteGguf(model, tiny.At("model.gguf"), type);
        }

        using var written = ModelFile.Open(tiny.At("model.gguf"));
        var reference = ModelReference.Of(written, null, 24, 2);
        File.WriteAllBytes(tiny.At("reference.json"), JsonSerializer.SerializeToUtf8Bytes(reference, ModelReferenceJson.Default.ModelReference));
        var (code, output) = Run(
            "node", "check.mjs", tiny.At("model.gguf"), tiny.At("reference.json"), "--modules", modules, "--perplexity", "0.001", "--near", type == NumberType.Q80 ? "0.1" : "0.001");
        Assert.True(code == 0, output);
    }

    private static (int Code, string Output) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Path.Combine(Root, "tools/llama-cpp"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvariantViolation("no repository above the tests");
        }

        return folder;
    }
}
