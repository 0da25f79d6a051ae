using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Finds the merges of a vocabulary: keeps the count of every pair of neighbours and, for each pair, the words it may occur in,
/// so that a merge touches only those words.</summary>
internal sealed class MergeLearner
{
    // A pair seen once saves nothing: its token would only stand for that one place.
    private const long OccurrencesMin = 2;

    private readonly struct Priority(long count, TokenPair pair) : IComparable<Priority>
    {
        public long Count { get; } = count;

        public TokenPair Pair { get; } = pair;

        // More frequent first, then the lower left id, then the lower right id.
        public int CompareTo(Priority other) => Count != other.Count ? other.Count.CompareTo(Count) : Pair.CompareTo(other.Pair);
    }

    private sealed class PairUse
    {
        public long Count;
        public readonly List<int> Words = [];
    }

    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly long[] _occurrences;
    private readonly int[] _symbols;
    private readonly Dictionary<TokenPair, PairUse> _pairs = [];
    private readonly PriorityQueue<PairUse, Priority> _queue = new();
    private readonly HashSet<TokenPair> _changed = [];
    private readonly HashSet<TokenPair> _merged = [];
    private readonly WordTable _tokenTable = new();
    private readonly List<int> _tokenIds = [];
    private readonly int _firstId;

    /// <summary>Counts the pairs of bytes.</summary>
    /// <param name="words">The words of the text.</param>
    /// <param name="firstId">The id of the first merged token; ids below 256 are bytes.</param>
    public MergeLearner(WordCounts words, int firstId)
    {
        _firstId = firstId;
        _starts = new int[words.Count];
        _lengths = new int[words.Count];
        _occurrences = new long[words.Count];
        var total = 0;
        for (var word = 0; word < words.Count; word++)
        {
            _starts[word] = total;
            _lengths[word] = words.Word(word).Length;
            _occurrences[word] = words.Occurrences(word);
            total = checked(total + _lengths[word]);
        }

        _symbols = new int[total];
        CountBytePairs(words);
        foreach (var (pair, use) in _pairs)
        {
            _queue.Enqueue(use, new Priority(use.Count, pair));
        }
    }

    /// <summary>In order of rank.</summary>
    public List<Merge> Merges { get; } = [];

    /// <summary>The bytes of the merged tokens, from the first id on.</summary>
    public List<byte[]> Tokens { get; } = [];

    /// <summary>Learns until so many tokens exist or no pair occurs twice.</summary>
    /// <param name="tokensMax">0 or more.</param>
    public void Run(int tokensMax)
    {
        while (Tokens.Count < tokensMax && TakeBest(out var pair))
        {
            var result = NameToken(pair);
            if (_merged.Add(pair))
            {
                Merges.Add(new Merge(pair.Left, pair.Right, result, Merges.Count));
            }

            Apply(pair, result);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void CountBytePairs(WordCounts words)
    {
        var uses = new PairUse?[1 << 16];
        for (var word = 0; word < words.Count; word++)
        {
            var bytes = words.Word(word);
            for (var i = 0; i < bytes.Length; i++)
            {
                _symbols[_starts[word] + i] = bytes[i];
                if (i > 0)
                {
                    Note(uses[(bytes[i - 1] << 8) | bytes[i]] ??= new PairUse(), word);
                }
            }
        }

        for (var pair = 0; pair < uses.Length; pair++)
        {
            if (uses[pair] is { } use)
            {
                _pairs.Add(new TokenPair(pair >> 8, pair & 255), use);
            }
        }
    }

    private void Note(PairUse use, int word)
    {
        use.Count += _occurrences[word];
        if (use.Words.Count == 0 || use.Words[^1] != word)
        {
            use.Words.Add(word);
        }
    }

    // The queue holds old counts: a count only rises by a new entry, so the first entry that is still true is the best pair.
    private bool TakeBest(out TokenPair pair)
    {
        while (_queue.TryDequeue(out var use, out var priority))
        {
            if (use.Count != priority.Count)
            {
                if (use.Count >= OccurrencesMin && use.Count < priority.Count)
                {
                    _queue.Enqueue(use, new Priority(use.Count, priority.Pair));
                }

                continue;
            }

            pair = priority.Pair;
            return use.Count >= OccurrencesMin;
        }

        pair = default;
        return false;
    }

    // Two ways of merging can give the same bytes; a token file names tokens by their bytes, so both lead to one id.
    // Through such an id a merged pair can form again; it is merged again, and listed once.
    private int NameToken(TokenPair pair)
    {
        byte[] bytes = [.. BytesOf(pair.Left), .. BytesOf(pair.Right)];
        var hash = WordHash.Of(bytes);
        var index = _tokenTable.Find(bytes, hash);
        if (index < 0)
        {
            index = _tokenTable.Add(bytes, hash);
            _tokenIds.Add(_firstId + Tokens.Count);
            Tokens.Add(bytes);
        }

        return _tokenIds[index];
    }

    private byte[] BytesOf(int id) => id < 256 ? [(byte)id] : Tokens[id - _firstId];

    private void Apply(TokenPair pair, int result)
    {
        var use = _pairs[pair];
        foreach (var word in use.Words)
        {
            ApplyTo(word, pair.Left, pair.Right, result);
        }

        // What is left of the count are overlaps such as the second "aa" in "aaa"; none can be merged any more.
        _pairs.Remove(pair);
        use.Count = 0;
        foreach (var changed in _changed)
        {
            if (_pairs.TryGetValue(changed, out var grown) && grown.Count >= OccurrencesMin)
            {
                _queue.Enqueue(grown, new Priority(grown.Count, changed));
            }
        }

        _changed.Clear();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyTo(int word, int left, int right, int result)
    {
        var symbols = _symbols.AsSpan(_starts[word], _lengths[word]);
        var written = 0;
        for (var read = 0; read < symbols.Length; read++)
        {
            if (symbols[read] != left || read + 1 >= symbols.Length || symbols[read + 1] != right)
            {
                symbols[written++] = symbols[read];
                continue;
            }

            if (written > 0)
            {
                Shrink(symbols[written - 1], left, word);
                Grow(symbols[written - 1], result, word);
            }

            if (read + 2 < symbols.Length)
            {
                Shrink(right, symbols[read + 2], word);
                Grow(result, symbols[read + 2], word);
            }

            symbols[written++] = result;
            read++;
        }

        _lengths[word] = written;
    }

    private void Shrink(int left, int right, int word)
    {
        if (_pairs.TryGetValue(new TokenPair(left, right), out var use))
        {
            use.Count -= _occurrences[word];
        }
    }

    private void Grow(int left, int right, int word)
    {
        var pair = new TokenPair(left, right);
        ref var use = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
        Note(use ??= new PairUse(), word);
        _changed.Add(pair);
    }
}
