using System.Numerics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Counts for every pair of lists how many places they share, by an inverted index instead of merging all pairs: each place is visited once for
/// each pair that really shares it. Exact, in integers.</summary>
/// <remarks>Cost: the places of all lists, plus one step for each place shared by a pair; merging pairwise costs the length of both lists for every
/// pair, shared or not. Memory: one count for each pair and the places of one chunk.</remarks>
public sealed class SharedPlaces
{
    private readonly int _lists;
    private readonly int[] _counts;
    private readonly int[] _ends;
    private readonly List<(int List, int Start)> _runs = [];
    private int[] _places = [];
    private int[] _index = [];
    private int _length;

    /// <summary>Begins with nothing counted.</summary>
    /// <param name="lists">How many lists are compared.</param>
    /// <param name="places">Places of a chunk: 0 to this − 1.</param>
    public SharedPlaces(int lists, int places)
    {
        Invariant.Check(lists >= 0 && places > 0);
        _lists = lists;
        _counts = new int[checked((int)((long)lists * Math.Max(0, lists - 1) / 2))];
        _ends = new int[places];
    }

    /// <summary>Goes on to the next chunk: its places have nothing to do with those before.</summary>
    public void NextChunk()
    {
        if (_runs.Count == 0)
        {
            return;
        }

        // Lists by place, one after another in memory and each place's in ascending order: a counting sort.
        Array.Clear(_ends);
        foreach (var place in _places.AsSpan(0, _length))
        {
            _ends[place]++;
        }

        var total = 0;
        for (var place = 0; place < _ends.Length; place++)
        {
            (_ends[place], total) = (total, total + _ends[place]);
        }

        for (var run = 0; run < _runs.Count; run++)
        {
            foreach (var place in PlacesOf(run))
            {
                _index[_ends[place]++] = _runs[run].List;
            }
        }

        Count();
        _runs.Clear();
        _length = 0;
    }

    /// <summary>Adds what one list has in the chunk.</summary>
    /// <param name="list">Which list; within a chunk the lists come in ascending order, each once.</param>
    /// <param name="places">Its places, each once.</param>
    public void Add<T>(int list, ReadOnlySpan<T> places)
        where T : unmanaged, IBinaryInteger<T>
    {
        Invariant.Check((uint)list < (uint)_lists);
        Invariant.Check(_runs.Count == 0 || list > _runs[^1].List);
        if (_length + places.Length > _places.Length)
        {
            Array.Resize(ref _places, Math.Max(2 * _places.Length, _length + places.Length));
            Array.Resize(ref _index, _places.Length);
        }

        _runs.Add((list, _length));
        foreach (var place in places)
        {
            _places[_length++] = int.CreateChecked(place);
        }
    }

    /// <summary>Places that two lists share in the chunks that are closed (<see cref="NextChunk"/>).</summary>
    /// <param name="a">One list.</param>
    /// <param name="b">Another.</param>
    public int Between(int a, int b) => _counts[RowOf(Math.Max(a, b)) + Math.Min(a, b)];

    /// <summary>All pairs that share at least so many places in the chunks that are closed, ascending by the later list.</summary>
    /// <param name="atLeast">1 or more.</param>
    public IEnumerable<(int A, int B, int Shared)> Pairs(int atLeast)
    {
        for (var b = 1; b < _lists; b++)
        {
            var row = RowOf(b);
            for (var a = 0; a < b; a++)
            {
                if (_counts[row + a] >= atLeast)
                {
                    yield return (a, b, _counts[row + a]);
                }
            }
        }
    }

    // The later lists stand behind the list itself wherever it occurs, so that each pair is counted once, in the row of the later one.
    private void Count()
    {
        for (var run = 0; run < _runs.Count; run++)
        {
            var list = _runs[run].List;
            var row = _counts.AsSpan(RowOf(list), list);
            foreach (var place in PlacesOf(run))
            {
                foreach (var other in _index.AsSpan(place == 0 ? 0 : _ends[place - 1]))
                {
                    if (other >= list)
                    {
                        break;
                    }

                    row[other]++;
                }
            }
        }
    }

    private ReadOnlySpan<int> PlacesOf(int run)
    {
        var start = _runs[run].Start;
        return _places.AsSpan(start, (run + 1 < _runs.Count ? _runs[run + 1].Start : _length) - start);
    }

    private static int RowOf(int list) => list * (list - 1) / 2;
}
