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
    private readonly int[] _heads;
    private readonly List<(int List, int Next)> _entries = [];

    /// <summary>Begins with nothing counted.</summary>
    /// <param name="lists">How many lists are compared.</param>
    /// <param name="places">Places of a chunk: 0 to this − 1.</param>
    public SharedPlaces(int lists, int places)
    {
        Invariant.Check(lists >= 0 && places > 0);
        _lists = lists;
        _counts = new int[checked(lists * Math.Max(0, lists - 1) / 2)];
        _heads = new int[places];
        _heads.AsSpan().Fill(-1);
    }

    /// <summary>Goes on to the next chunk: its places have nothing to do with those before.</summary>
    public void NextChunk()
    {
        _heads.AsSpan().Fill(-1);
        _entries.Clear();
    }

    /// <summary>Adds what one list has in the chunk.</summary>
    /// <param name="list">Which list; within a chunk the lists come in ascending order.</param>
    /// <param name="places">Its places, each once.</param>
    public void Add<T>(int list, ReadOnlySpan<T> places)
        where T : unmanaged, IBinaryInteger<T>
    {
        Invariant.Check((uint)list < (uint)_lists);
        var row = RowOf(list);
        foreach (var one in places)
        {
            var place = int.CreateChecked(one);
            for (var at = _heads[place]; at >= 0; at = _entries[at].Next)
            {
                _counts[row + _entries[at].List]++;
            }

            _entries.Add((list, _heads[place]));
            _heads[place] = _entries.Count - 1;
        }
    }

    /// <summary>Places that two lists share.</summary>
    /// <param name="a">One list.</param>
    /// <param name="b">Another.</param>
    public int Between(int a, int b) => _counts[RowOf(Math.Max(a, b)) + Math.Min(a, b)];

    /// <summary>All pairs that share at least so many places, ascending by the later list.</summary>
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

    private static int RowOf(int list) => list * (list - 1) / 2;
}
