using Cairn.Base;

namespace Cairn.Data;

/// <summary>Tokens and merges of a byte-level vocabulary. Every one of the 256 bytes has a token of its own, so that any bytes can be encoded.</summary>
internal sealed class Vocabulary
{
    private readonly byte[][] _tokens;
    private readonly bool[] _special;
    private readonly Dictionary<Digest, int>? _wholeWords;

    /// <summary>Takes over checked tables.</summary>
    /// <param name="tokens">The bytes of each id; of special tokens their text.</param>
    /// <param name="merges">In order of rank.</param>
    /// <param name="specialIds">Ids that text never yields by itself, ascending.</param>
    /// <param name="idOfByte">The id of each byte.</param>
    /// <param name="wholeWordsFirst">True if a word that is itself a token is not built by merges ("ignore_merges").</param>
    public Vocabulary(byte[][] tokens, Merge[] merges, int[] specialIds, int[] idOfByte, bool wholeWordsFirst)
    {
        Invariant.Check(idOfByte.Length == 256);
        (_tokens, Merges, SpecialIds, IdOfByte, WholeWordsFirst) = (tokens, merges, specialIds, idOfByte, wholeWordsFirst);
        MergeTable = new MergeTable(merges);
        _special = new bool[tokens.Length];
        foreach (var id in specialIds)
        {
            _special[id] = true;
        }

        _wholeWords = wholeWordsFirst ? BuildWholeWords() : null;
    }

    /// <summary>How many ids there are.</summary>
    public int Count => _tokens.Length;

    /// <summary>In order of rank.</summary>
    public Merge[] Merges { get; }

    /// <summary>The merges by pair.</summary>
    public MergeTable MergeTable { get; }

    /// <summary>Ascending.</summary>
    public int[] SpecialIds { get; }

    /// <summary>The id of each byte.</summary>
    public int[] IdOfByte { get; }

    /// <summary>A word that is itself a token is not built by merges.</summary>
    public bool WholeWordsFirst { get; }

    /// <summary>The bytes of an id.</summary>
    /// <param name="id">0 to <see cref="Count"/> − 1.</param>
    public ReadOnlySpan<byte> Token(int id) => _tokens[id];

    /// <summary>True for an id that text never yields by itself.</summary>
    /// <param name="id">0 to <see cref="Count"/> − 1.</param>
    public bool IsSpecial(int id) => _special[id];

    /// <summary>The ordinary token with exactly these bytes, or −1. Only where <see cref="WholeWordsFirst"/>.</summary>
    /// <param name="word">Any bytes.</param>
    public int Find(ReadOnlySpan<byte> word) => _wholeWords!.GetValueOrDefault(Digest.Of(word), -1);

    private Dictionary<Digest, int> BuildWholeWords()
    {
        var words = new Dictionary<Digest, int>(_tokens.Length);
        for (var id = 0; id < _tokens.Length; id++)
        {
            if (!_special[id])
            {
                words[Digest.Of(_tokens[id])] = id;
            }
        }

        return words;
    }
}
