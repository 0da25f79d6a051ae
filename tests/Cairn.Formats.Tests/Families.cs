using System.Text;
using Cairn.Data;

namespace Cairn.Formats.Tests;

/// <summary>Small tokenizers of every family.</summary>
internal static class Families
{
    private static readonly string[] Words = ["the", "and", "ing", "tion", "café", "日本", "hello", "world", "text", "12", "👍"];

    /// <summary>Characters with bytes as the last resort: control tokens, bytes, pieces, merges by rank.</summary>
    public static Tokenizer Characters(SpacePrefix prefix)
    {
        var (tokens, kinds, ids) = (new List<byte[]>(), new List<TokenKind>(), new Dictionary<string, int>());
        void Add(byte[] bytes, TokenKind kind)
        {
            ids.TryAdd(kind == TokenKind.Normal ? Encoding.UTF8.GetString(bytes) : "\0" + tokens.Count, tokens.Count);
            tokens.Add(bytes);
            kinds.Add(kind);
        }

        Add("<unk>"u8.ToArray(), TokenKind.Unknown);
        Add("<s>"u8.ToArray(), TokenKind.Control);
        Add("</s>"u8.ToArray(), TokenKind.Control);
        Add("<turn>"u8.ToArray(), TokenKind.UserDefined);
        for (var value = 0; value < 256; value++)
        {
            Add([(byte)value], TokenKind.Byte);
        }

        var pieces = Words.SelectMany(word => new[] { word, " " + word }).SelectMany(Prefixes).Append("  ").Append("    ").Distinct().ToList();
        foreach (var letter in pieces.SelectMany(Runes).Concat("abcdefghijklmnopqrstuvwxyzABC .,\n<>/s".Select(letter => letter.ToString())).Distinct().Order(StringComparer.Ordinal))
        {
            Add(Encoding.UTF8.GetBytes(letter), TokenKind.Normal);
        }

        var merges = new List<Merge>();
        foreach (var piece in pieces.Where(piece => Runes(piece).Count() > 1).OrderBy(piece => piece.Length).ThenBy(piece => piece, StringComparer.Ordinal))
        {
            Add(Encoding.UTF8.GetBytes(piece), TokenKind.Normal);
            var last = Runes(piece).Last();
            var left = piece == "    " ? "  " : piece[..^last.Length];
            merges.Add(new Merge(ids[left], ids[piece[left.Length..]], ids[piece], merges.Count));
        }

        return Tokenizer.Of(
            new TokenizerParts
            {
                Family = TokenizerFamily.SentencePiece,
                Tokens = tokens,
                Kinds = kinds,
                Merges = merges,
                Prefix = prefix,
                Begin = 1,
            },
            "the test's tokenizer");
    }

    private static IEnumerable<string> Runes(string text) => text.EnumerateRunes().Select(rune => rune.ToString());

    private static IEnumerable<string> Prefixes(string word)
    {
        var text = "";
        foreach (var rune in Runes(word))
        {
            text += rune;
            yield return text;
        }
    }
}
