using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Formats.Tests;

/// <summary>Small models with random parameters, in folders that are gone after the test.</summary>
internal sealed class Tiny : IDisposable
{
    public Tiny(ModelShape shape, ulong seed = 5, int? vocabulary = null, Tokenizer? tokenizer = null)
    {
        Folder = Path.Combine(Path.GetTempPath(), $"cairn-formats-{Path.GetRandomFileName()}");
        Tokenizer = tokenizer ?? TokenizerOf(vocabulary ?? shape.Vocabulary);
        Parameters = Random(shape, seed);
        Checkpoint.Save(Parameters, new GenerationDefaults(EndToken: Tokenizer.EosId), (name, write) => DurableFile.Write(Path.Combine(Folder, name), write));
        DurableFile.Write(Path.Combine(Folder, HuggingFaceNames.Tokenizer), Tokenizer.Save);
    }

    /// <summary>Odd sizes, rows of whole blocks of Q8_0, grouped queries.</summary>
    public static ModelShape Shape => new(300, 96, 2, 4, 2, 160, 32);

    public string Folder { get; }

    public Parameters Parameters { get; }

    public Tokenizer Tokenizer { get; }

    /// <summary>Bytes, one merge for each further token, and the end of text.</summary>
    public static Tokenizer TokenizerOf(int count, TokenizerFamily family = TokenizerFamily.Llama3)
    {
        var tokens = Enumerable.Range(0, 256).Select(value => new[] { (byte)value }).Append(Encoding.UTF8.GetBytes(Tokenizer.EndOfText)).ToList();
        var merges = new List<Merge>();
        foreach (var left in "etaoinsrhldcu .,")
        {
            foreach (var right in "etaoinsrhldcu")
            {
                if (tokens.Count < count)
                {
                    merges.Add(new Merge(left, right, tokens.Count, merges.Count));
                    tokens.Add([(byte)left, (byte)right]);
                }
            }
        }

        return Tokenizer.Of(
            new TokenizerParts
            {
                Family = family,
                Tokens = tokens,
                Kinds = [.. tokens.Select((_, id) => id == 256 ? TokenKind.Control : TokenKind.Normal)],
                Merges = merges,
            },
            "the test's tokenizer");
    }

    public static Parameters Random(ModelShape shape, ulong seed)
    {
        var parameters = Initializer.Create(new ParameterLayout(shape), seed);
        var random = new SeededRandom(seed, "tiny");
        foreach (var tensor in parameters.Layout.Tensors)
        {
            foreach (ref var value in parameters[tensor])
            {
                value = (float)((tensor.IsMatrix ? 0.0 : 1.0) + ((tensor.IsMatrix ? 0.05 : 0.1) * random.NextNormal()));
            }
        }

        return parameters;
    }

    public string At(string name) => Path.Combine(Folder, name);

    public void Dispose()
    {
        Parameters.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
