using System.Numerics;
using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>Applies the merges to one word: always the pair of lowest rank, of equal pairs the leftmost, until none is left
/// (Sennrich, Haddow and Birch 2016, Algorithm 1, applied to new text).</summary>
/// <remarks>Holds scratch memory; one per thread. Short words take a scan of all pairs per merge, long ones a heap: O(n log n), so that
/// a megabyte without a space is no trap.</remarks>
internal sealed class WordMerger
{
    private const int ScanLengthMax = 64;
    private readonly MergeTable _merges;
    private readonly int[] _idOfByte;
    private int[] _ids = [];
    private int[] _results = [];
    private int[] _ranks = [];
    private int[] _next = [];
    private int[] _previous = [];
    private readonly PriorityQueue<int, long> _queue = new();

    /// <summary>Begins with a vocabulary's merges.</summary>
    /// <param name="merges">The merges.</param>
    /// <param name="idOfByte">The id of each of the 256 bytes.</param>
    public WordMerger(MergeTable merges, int[] idOfByte)
    {
        _merges = merges;
        _idOfByte = idOfByte;
        Room(ScanLengthMax);
    }

    /// <summary>The ids of a word.</summary>
    /// <param name="word">At least one byte.</param>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlySpan<int> Merge(ReadOnlySpan<byte> word)
    {
        var ids = Room(word.Length);
        for (var i = 0; i < ids.Length; i++)
        {
            ids[i] = _idOfByte[word[i]];
        }

        return MergeRoom(ids.Length);
    }

    /// <summary>The ids of a word whose characters are ids already.</summary>
    /// <param name="word">At least one id.</param>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlySpan<int> Merge(ReadOnlySpan<int> word)
    {
        word.CopyTo(Room(word.Length));
        return MergeRoom(word.Length);
    }

    private Span<int> Room(int count)
    {
        if (count > _ids.Length)
        {
            var length = (int)BitOperations.RoundUpToPowerOf2((uint)count);
            (_ids, _results, _ranks, _next, _previous) = (new int[length], new int[length], new int[length], new int[length], new int[length]);
        }

        return _ids.AsSpan(0, count);
    }

    private ReadOnlySpan<int> MergeRoom(int count) => count <= ScanLengthMax ? Scan(count) : Queue(count);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private ReadOnlySpan<int> Scan(int count)
    {
        Span<int> ids = _ids;
        Span<int> ranks = _ranks;
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
            {
                ranks[i - 1] = _merges.Rank(ids[i - 1], ids[i], out _);
            }
        }

        while (count > 1)
        {
            var (at, best) = (0, ranks[0]);
            for (var i = 1; i < count - 1; i++)
            {
                (at, best) = ranks[i] < best ? (i, ranks[i]) : (at, best);
            }

            if (best == MergeTable.None)
            {
                break;
            }

            _merges.Rank(ids[at], ids[at + 1], out ids[at]);
            ids[(at + 2)..count].CopyTo(ids[(at + 1)..]);
            ranks[(at + 1)..(count - 1)].CopyTo(ranks[at..]);
            count--;
            if (at > 0)
            {
                ranks[at - 1] = _merges.Rank(ids[at - 1], ids[at], out _);
            }

            if (at < count - 1)
            {
                ranks[at] = _merges.Rank(ids[at], ids[at + 1], out _);
            }
        }

        return _ids.AsSpan(0, count);
    }

    private ReadOnlySpan<int> Queue(int length)
    {
        Prepare(length);
        while (_queue.TryDequeue(out var at, out var priority))
        {
            // A stale entry: its pair has since been merged away or become another.
            if (_ranks[at] != (int)(priority >> 32))
            {
                continue;
            }

            var gone = _next[at];
            _ids[at] = _results[at];
            _ranks[gone] = MergeTable.None;
            _next[at] = _next[gone];
            if (_next[at] < length)
            {
                _previous[_next[at]] = at;
            }

            Rate(at, length);
            if (at > 0)
            {
                Rate(_previous[at], length);
            }
        }

        var count = 0;
        for (var at = 0; at < length; at = _next[at])
        {
            _ids[count++] = _ids[at];
        }

        return _ids.AsSpan(0, count);
    }

    private void Prepare(int length)
    {
        for (var i = 0; i < length; i++)
        {
            (_next[i], _previous[i]) = (i + 1, i - 1);
        }

        for (var i = 0; i < length; i++)
        {
            Rate(i, length);
        }
    }

    // Puts the pair that begins at a place into the queue: by rank, then by place.
    private void Rate(int at, int length)
    {
        _ranks[at] = _next[at] < length ? _merges.Rank(_ids[at], _ids[_next[at]], out _results[at]) : MergeTable.None;
        if (_ranks[at] != MergeTable.None)
        {
            _queue.Enqueue(at, ((long)_ranks[at] << 32) | (uint)at);
        }
    }
}
