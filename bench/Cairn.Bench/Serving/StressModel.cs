using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Formats;
using Cairn.Model;

namespace Cairn.Bench;

/// <summary>A small model that knows nothing: bytes for tokens, parameters as drawn.</summary>
public static class StressModel
{
    /// <summary>Writes it into a folder.</summary>
    /// <param name="folder">Created if missing.</param>
    public static void Write(string folder)
    {
        var end = Encoding.UTF8.GetBytes(Tokenizer.EndOfText);
        var tokenizer = Tokenizer.Of(
            new TokenizerParts
            {
                Family = TokenizerFamily.Llama3,
                Tokens = [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), end],
                Kinds = [.. Enumerable.Repeat(TokenKind.Normal, 256), TokenKind.Control],
                Merges = [],
            },
            "the model of bytes");
        var shape = new ModelShape(tokenizer.VocabularySize, Dim: 128, Layers: 2, Heads: 4, KvHeads: 2, FeedForward: 256, Context: 2048);
        using var parameters = Initializer.Create(new ParameterLayout(shape), 1);
        Checkpoint.Save(parameters, new GenerationDefaults(EndToken: tokenizer.EosId), (name, write) => DurableFile.Write(Path.Combine(folder, name), write));
        DurableFile.Write(Path.Combine(folder, HuggingFaceNames.Tokenizer), tokenizer.Save);
    }
}
