using System.Text;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Formats;

/// <summary>The tokenizer in the head of a GGUF file.</summary>
internal static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    // The first of each kind is the one that is written.
    private static readonly (string Name, TokenizerFamily Family, bool WholeWordsFirst)[] Cuts =
    [
        ("gpt-2", TokenizerFamily.Gpt2, false), ("llama-bpe", TokenizerFamily.Llama3, true), ("llama3", TokenizerFamily.Llama3, true),
        ("llama-v3", TokenizerFamily.Llama3, true), ("dbrx", TokenizerFamily.Llama3, false), ("smaug-bpe", TokenizerFamily.Llama3, false),
        ("qwen2", TokenizerFamily.Qwen2, false),
    ];

    /// <summary>The name of how byte tokens are cut and merged; null if there is none.</summary>
    public static string? CutOf(TokenizerParts parts) =>
        Cuts.FirstOrDefault(one => one.Family == parts.Family && one.WholeWordsFirst == parts.WholeWordsFirst).Name;

    /// <summary>Reads it.</summary>
    /// <exception cref="InputException">It is missing, damaged or of another kind.</exception>
    public static Tokenizer Read(GgufHead head, string path)
    {
        var tokens = head.Texts(Prefix + "tokens") ?? throw Refused(path, "it has no tokens");
        if (tokens.Length > BpeTrainer.VocabularySizeMax)
        {
            throw Refused(path, $"it has {tokens.Length} tokens, at most {BpeTrainer.VocabularySizeMax} are read");
        }

        var model = head.Text(Prefix + "model");
        var parts = model switch
        {
            "gpt2" => ReadBytes(head, path, tokens),
            "llama" => ReadCharacters(head, path, tokens),
            _ => throw Refused(path, $"its tokenizer is of the kind '{model}', read are gpt2 (bytes) and llama (characters)"),
        };
        var begins = head.Flag(Prefix + "add_bos_token") ?? (parts.Family == TokenizerFamily.SentencePiece || parts.WholeWordsFirst);
        return Tokenizer.Of(
            parts with { Begin = begins ? IdOf(head, "bos_token_id") : null, End = IdOf(head, "eos_token_id") ?? parts.End }, path);
    }

    /// <summary>Ids that end a turn besides the one that ends a text.</summary>
    public static IReadOnlyList<int> OtherEnds(GgufHead head, Tokenizer tokenizer) =>
        IdOf(head, "eot_token_id") is { } turn && turn != tokenizer.EosId && turn < tokenizer.VocabularySize ? [turn] : [];

    private static int? IdOf(GgufHead head, string name) => head.Number(Prefix + name) is { } id and >= 0 and <= int.MaxValue ? (int)id : null;

    private static TokenizerParts ReadBytes(GgufHead head, string path, byte[][] names)
    {
        var cut = head.Text(Prefix + "pre");
        if (Cuts.FirstOrDefault(one => one.Name == cut) is not { Name: not null } known)
        {
            throw Refused(path, $"it cuts text into words as '{cut}', read are {string.Join(", ", Cuts.Select(one => one.Name))}");
        }

        var kinds = KindsOf(head, path, names.Length);
        var (tokens, ids) = (new byte[names.Length][], new Dictionary<string, int>(StringComparer.Ordinal));
        for (var id = 0; id < names.Length; id++)
        {
            var name = Encoding.UTF8.GetString(names[id]);
            tokens[id] = kinds[id] != TokenKind.Normal ? names[id]
                : TokenizerText.ToBytes(name) ?? throw Refused(path, $"token '{name}' is not written in the byte alphabet");
            if (kinds[id] == TokenKind.Normal && !ids.TryAdd(name, id))
            {
                throw Refused(path, $"token '{name}' is listed twice");
            }
        }

        var merges = head.Texts(Prefix + "merges") ?? throw Refused(path, "it has no merges");
        return new TokenizerParts
        {
            Family = known.Family,
            Tokens = tokens,
            Kinds = kinds,
            Merges = [.. merges.Select((merge, rank) => MergeOf(Encoding.UTF8.GetString(merge), rank, ids, path))],
            WholeWordsFirst = known.WholeWordsFirst,
        };
    }

    private static Merge MergeOf(string text, int rank, Dictionary<string, int> ids, string path)
    {
        var space = text.IndexOf(' ', 1 < text.Length ? 1 : 0);
        return space > 0 && ids.TryGetValue(text[..space], out var left) && ids.TryGetValue(text[(space + 1)..], out var right)
            && ids.TryGetValue(text[..space] + text[(space + 1)..], out var result)
            ? new Merge(left, right, result, rank)
            : throw Refused(path, $"merge {rank} ('{text}') names a token that it lacks");
    }

    private static TokenizerParts ReadCharacters(GgufHead head, string path, byte[][] names)
    {
        var kinds = KindsOf(head, path, names.Length);
        var scores = head.Floats(Prefix + "scores") ?? throw Refused(path, "it has no scores");
        if (scores.Length != names.Length)
        {
            throw Refused(path, $"it has {names.Length} tokens and {scores.Length} scores");
        }

        var tokens = new byte[names.Length][];
        for (var id = 0; id < names.Length; id++)
        {
            var name = Encoding.UTF8.GetString(names[id]);
            tokens[id] = kinds[id] switch
            {
                TokenKind.Byte => [TokenizerText.ToByte(name) ?? throw Refused(path, $"token '{name}' is not written as a byte")],
                TokenKind.Normal or TokenKind.UserDefined => Encoding.UTF8.GetBytes(TokenizerText.WithSpaces(name)),
                _ => names[id],
            };
        }

        return new TokenizerParts
        {
            Family = TokenizerFamily.SentencePiece,
            Tokens = tokens,
            Kinds = kinds,
            Merges = ScoreMerges.From(tokens, kinds, scores),
            Prefix = head.Flag(Prefix + "add_space_prefix") ?? true ? SpacePrefix.EverySegment : SpacePrefix.Never,
        };
    }

    private static TokenKind[] KindsOf(GgufHead head, string path, int count)
    {
        if (head.Numbers(Prefix + "token_type") is not { } numbers)
        {
            return [.. Enumerable.Repeat(TokenKind.Normal, count)];
        }

        return numbers.Length == count
            ? [.. numbers.Select(number =>
                number is >= (int)TokenKind.Normal and <= (int)TokenKind.Byte ? (TokenKind)number : throw Refused(path, $"a token is of kind {number}"))]
            : throw Refused(path, $"it has {count} tokens and says of {numbers.Length} what they are");
    }

    private static InputException Refused(string path, string reason) => new($"{path} cannot be used: {reason}; fetch the file again or choose another.");
}
