using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cairn.Data;

/// <summary>Encodes text word by word and remembers the words it has met: natural text repeats them. One per thread.</summary>
internal sealed class WordEncoder : ITextEncoder
{
    private const int WordBytesMax = 64;
    private const int WordsMax = 1 << 17;
    private readonly PreTokenizer _preTokenizer;
    private readonly WordMerger _merger;
    private readonly Vocabulary _vocabulary;
    private readonly WordTable _words = new();
    private int[] _starts = new int[1 << 11];
    private int[] _ids = new int[1 << 13];

    /// <summary>Begins without remembered words.</summary>
    /// <param name="vocabulary">Tokens and merges.</param>
    /// <param name="preTokenizer">What cuts text into words.</param>
    public WordEncoder(Vocabulary vocabulary, PreTokenizer preTokenizer)
    {
        _vocabulary = vocabulary;
        _preTokenizer = preTokenizer;
        _merger = new WordMerger(vocabulary.MergeTable, vocabulary.IdOfByte);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Encode(ReadOnlySpan<byte> text, List<int> ids)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = _preTokenizer.End(text, start);
            var word = EncodeWord(text[start..end]);
            if (word.Length == 1)
            {
                ids.Add(word[0]);
            }
            else
            {
                var at = ids.Count;
                CollectionsMarshal.SetCount(ids, at + word.Length);
                word.CopyTo(CollectionsMarshal.AsSpan(ids)[at..]);
            }

            start = end;
        }
    }

    private ReadOnlySpan<int> EncodeWord(ReadOnlySpan<byte> word)
    {
        if (word.Length > WordBytesMax)
        {
            return Merge(word);
        }

        var hash = WordHash.Of(word);
        var index = _words.Find(word, hash);
        if (index >= 0)
        {
            return _ids.AsSpan(_starts[index], _starts[index + 1] - _starts[index]);
        }

        var merged = Merge(word);
        if (_words.Count < WordsMax)
        {
            Remember(word, hash, merged);
        }

        return merged;
    }

    private ReadOnlySpan<int> Merge(ReadOnlySpan<byte> word) =>
        _vocabulary.WholeWordsFirst && _vocabulary.Find(word) is >= 0 and var id ? new int[] { id } : _merger.Merge(word);

    private void Remember(ReadOnlySpan<byte> word, ulong hash, ReadOnlySpan<int> ids)
    {
        var index = _words.Add(word, hash);
        if (index + 2 > _starts.Length)
        {
            Array.Resize(ref _starts, 2 * _starts.Length);
        }

        var end = _starts[index] + ids.Length;
        if (end > _ids.Length)
        {
            Array.Resize(ref _ids, 2 * Math.Max(_ids.Length, end));
        }

        ids.CopyTo(_ids.AsSpan(_starts[index]));
        _starts[index + 1] = end;
    }
}
