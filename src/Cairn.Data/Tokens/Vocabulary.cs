using System.Text;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Tokens and merges, ready to be looked up. Every one of the 256 bytes has a token of its own, so that any bytes can be encoded.</summary>
internal sealed class Vocabulary
{
    private readonly TokenizerParts _parts;
    private readonly byte[][] _tokens;
    private readonly Dictionary<Digest, int>? _wholeWords;
    private readonly Dictionary<int, int>? _characters;

    /// <summary>Takes over checked parts.</summary>
    /// <param name="parts">Checked by <see cref="TokenizerCheck"/>.</param>
    public Vocabulary(TokenizerParts parts)
    {
        _parts = parts;
        _tokens = [.. parts.Tokens];
        MergeTable = new MergeTable([.. parts.Merges]);
        SpecialIds = [.. Enumerable.Range(0, Count).Where(IsSpecial)];
        IdOfByte = BytesOf(parts);
        _wholeWords = parts.WholeWordsFirst ? BuildWholeWords() : null;
        _characters = parts.Family == TokenizerFamily.SentencePiece ? BuildCharacters() : null;
        Invariant.Check(Array.IndexOf(IdOfByte, -1) < 0);
    }

    /// <summary>How many ids there are.</summary>
    public int Count => _tokens.Length;

    /// <summary>In order of rank.</summary>
    public IReadOnlyList<Merge> Merges => _parts.Merges;

    /// <summary>The merges by pair.</summary>
    public MergeTable MergeTable { get; }

    /// <summary>Ids that are left out of text, ascending.</summary>
    public int[] SpecialIds { get; }

    /// <summary>The id of each byte.</summary>
    public int[] IdOfByte { get; }

    /// <summary>A word that is itself a token is not built by merges.</summary>
    public bool WholeWordsFirst => _parts.WholeWordsFirst;

    /// <summary>The bytes of an id.</summary>
    /// <param name="id">0 to <see cref="Count"/> − 1.</param>
    public ReadOnlySpan<byte> Token(int id) => _tokens[id];

    /// <summary>What an id is.</summary>
    /// <param name="id">0 to <see cref="Count"/> − 1.</param>
    public TokenKind Kind(int id) => _parts.Kinds[id];

    /// <summary>True for an id that text never yields by itself.</summary>
    /// <param name="id">0 to <see cref="Count"/> − 1.</param>
    public bool IsSpecial(int id) => _parts.Kinds[id] is TokenKind.Control or TokenKind.Unknown or TokenKind.Unused;

    /// <summary>The ordinary token with exactly these bytes, or −1. Only where <see cref="WholeWordsFirst"/>.</summary>
    /// <param name="word">Any bytes.</param>
    public int Find(ReadOnlySpan<byte> word) => _wholeWords!.GetValueOrDefault(Digest.Of(word), -1);

    /// <summary>The token that is one character, or −1. Only for tokens of characters.</summary>
    /// <param name="character">Any.</param>
    public int Find(Rune character) => _characters!.GetValueOrDefault(character.Value, -1);

    /// <summary>The id of each byte, −1 where none has it.</summary>
    /// <param name="parts">Any parts.</param>
    internal static int[] BytesOf(TokenizerParts parts)
    {
        var kind = parts.Family == TokenizerFamily.SentencePiece ? TokenKind.Byte : TokenKind.Normal;
        var ids = new int[256];
        Array.Fill(ids, -1);
        for (var id = 0; id < parts.Tokens.Count; id++)
        {
            if (parts.Kinds[id] == kind && parts.Tokens[id].Length == 1)
            {
                ids[parts.Tokens[id][0]] = id;
            }
        }

        return ids;
    }

    private Dictionary<Digest, int> BuildWholeWords()
    {
        var words = new Dictionary<Digest, int>(_tokens.Length);
        for (var id = 0; id < _tokens.Length; id++)
        {
            if (Kind(id) == TokenKind.Normal)
            {
                words[Digest.Of(_tokens[id])] = id;
            }
        }

        return words;
    }

    private Dictionary<int, int> BuildCharacters()
    {
        var characters = new Dictionary<int, int>();
        for (var id = 0; id < _tokens.Length; id++)
        {
            if (Kind(id) is TokenKind.Normal or TokenKind.UserDefined
                && Rune.DecodeFromUtf8(_tokens[id], out var rune, out var length) == System.Buffers.OperationStatus.Done && length == _tokens[id].Length)
            {
                characters.TryAdd(rune.Value, id);
            }
        }

        return characters;
    }
}
