using System.Text;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Inference.Tests;

/// <summary>Small models with random parameters, in folders that are gone after the test.</summary>
internal sealed class Tiny : IDisposable
{
    public Tiny(ModelShape? shape = null, ulong seed = 5)
    {
        Folder = Path.Combine(Path.GetTempPath(), $"cairn-inference-{Path.GetRandomFileName()}");
        using var parameters = Initializer.Create(new ParameterLayout(shape ?? Grouped), seed);
        var random = new SeededRandom(seed, "tiny");
        foreach (var tensor in parameters.Layout.Tensors)
        {
            foreach (ref var value in parameters[tensor])
            {
                value = (float)((tensor.IsMatrix ? 0.0 : 1.0) + ((tensor.IsMatrix ? 0.08 : 0.1) * random.NextNormal()));
            }
        }

        Checkpoint.Save(parameters, new GenerationDefaults(EndToken: Tokenizer.EosId), (name, write) => DurableFile.Write(Path.Combine(Folder, name), write));
        DurableFile.Write(Path.Combine(Folder, "tokenizer.json"), Tokenizer.Save);
    }

    /// <summary>Two query heads share keys; two pages and more of context.</summary>
    public static ModelShape Grouped => new(Tokenizer.VocabularySize, 96, 2, 4, 2, 160, 128);

    /// <summary>Nothing is a multiple of a vector, a block or a group; every head has keys of its own.</summary>
    public static ModelShape Odd => new(Tokenizer.VocabularySize, 30, 2, 3, 3, 45, 96, TiedHead: false);

    /// <summary>Bytes and the end of text: 257 ids.</summary>
    public static Tokenizer Tokenizer { get; } = Tokenizer.Of(
        new TokenizerParts
        {
            Family = TokenizerFamily.Llama3,
            Tokens = [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Append(Encoding.UTF8.GetBytes(Tokenizer.EndOfText))],
            Kinds = [.. Enumerable.Range(0, 257).Select(id => id == 256 ? TokenKind.Control : TokenKind.Normal)],
            Merges = [],
        },
        "the test's tokenizer");

    public string Folder { get; }

    public static int[] Text(int length, int seed = 1) => [.. Enumerable.Range(0, length).Select(at => (((at * 37) + (seed * 11) + (at * at)) % 251) + 2)];

    public BatchModel Load(BatchModelOptions? options = null)
    {
        using var file = ModelFile.Open(Folder);
        return BatchModel.Load(file, options ?? new BatchModelOptions());
    }

    /// <summary>The logits after every token, by the kernels of training.</summary>
    public float[][] Expected(int[] tokens)
    {
        using var file = ModelFile.Open(Folder);
        using var parameters = file.LoadParameters();
        using var kernels = new CpuKernels(1);
        using var reader = new LogitReader(parameters, kernels, tokens.Length);
        var all = new float[tokens.Length][];
        reader.Read(tokens, (place, logits) => all[place] = logits.ToArray());
        return all;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
