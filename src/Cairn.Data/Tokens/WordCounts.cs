using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>The distinct words of a text and how often each occurs. Which number a word has carries no meaning: sums over all words are
/// the same however the text was divided among threads.</summary>
internal sealed class WordCounts
{
    private const int BlockBytes = 1 << 18;
    private readonly WordTable _words = new();
    private long[] _counts = new long[1 << 11];

    /// <summary>How many distinct words there are.</summary>
    public int Count => _words.Count;

    /// <summary>How often a word occurs.</summary>
    /// <param name="index">0 to <see cref="Count"/> − 1.</param>
    public long Occurrences(int index) => _counts[index];

    /// <summary>A word.</summary>
    /// <param name="index">0 to <see cref="Count"/> − 1.</param>
    public ReadOnlySpan<byte> Word(int index) => _words[index];

    /// <summary>Counts the words of the training documents on all cores.</summary>
    /// <param name="corpus">Any corpus.</param>
    /// <param name="preTokenizer">What cuts text into words.</param>
    public static WordCounts Of(Corpus corpus, PreTokenizer preTokenizer)
    {
        var total = new WordCounts();
        var blocks = DocumentBlocks.Cut(corpus.Documents, heldOut: false, BlockBytes);
        Parallel.For(
            0,
            blocks.Count,
            static () => new WordCounts(),
            (block, _, counts) =>
            {
                foreach (var index in blocks[block])
                {
                    counts.AddText(corpus.Documents[index].Text.Span, preTokenizer);
                }

                return counts;
            },
            counts =>
            {
                lock (total)
                {
                    total.AddAll(counts);
                }
            });
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddText(ReadOnlySpan<byte> text, PreTokenizer preTokenizer)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = preTokenizer.End(text, start);
            Add(text[start..end], 1);
            start = end;
        }
    }

    private void AddAll(WordCounts other)
    {
        for (var index = 0; index < other.Count; index++)
        {
            Add(other.Word(index), other.Occurrences(index));
        }
    }

    private void Add(ReadOnlySpan<byte> word, long occurrences)
    {
        var hash = WordHash.Of(word);
        var index = _words.Find(word, hash);
        if (index < 0)
        {
            index = _words.Add(word, hash);
            if (index == _counts.Length)
            {
                Array.Resize(ref _counts, 2 * _counts.Length);
            }
        }

        _counts[index] += occurrences;
    }
}
