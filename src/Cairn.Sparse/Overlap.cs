using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How many of the sent places two updates share, in exact integers.</summary>
/// <param name="Shared">Places that both sent.</param>
/// <param name="Total">Places that each sent, in the chunks that were compared.</param>
/// <remarks>The pairwise mean of |idxᵢ ∩ idxⱼ|/k, weighted by values (Covenant-72B, overlap check), is Shared/Total. Deviation: a chunk of which
/// everything is sent is left out, for it says nothing about who copied whom. By chance two updates share 64/4096; honest ones more, for they
/// follow the same base.</remarks>
public readonly record struct Overlap(long Shared, long Total)
{
    /// <summary>Compares two updates by merging their sorted places. Cost: one pass over both.</summary>
    /// <param name="a">One update.</param>
    /// <param name="b">Another of the same grid.</param>
    /// <returns>The same for (a, b) and (b, a); (0, 0) if every chunk is sent whole.</returns>
    public static Overlap Between(ISparseUpdate a, ISparseUpdate b)
    {
        Invariant.Check(ReferenceEquals(a.Grid, b.Grid));
        var (shared, total) = (0L, 0L);
        for (var tensor = 0; tensor < a.Grid.TensorCount; tensor++)
        {
            var (grid, ofA, ofB) = (a.Grid[tensor], a[tensor], b[tensor]);
            for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
            {
                if (grid.KeepOf(chunk) < grid.LengthOf(chunk))
                {
                    total += grid.KeepOf(chunk);
                    shared += CountShared(ofA.IndicesOf(chunk), ofB.IndicesOf(chunk));
                }
            }
        }

        return new Overlap(shared, total);
    }

    /// <summary>Compares all pairs of a round at once, by an inverted index over each chunk (<see cref="SharedPlaces"/>).</summary>
    /// <param name="updates">Of one grid.</param>
    /// <returns>For each pair (a, b), a &lt; b, the same as <see cref="Between"/>; ordered by b, then a.</returns>
    public static IReadOnlyList<(int A, int B, Overlap Overlap)> AmongAll(IReadOnlyList<ISparseUpdate> updates)
    {
        if (updates.Count < 2)
        {
            return [];
        }

        var total = 0L;
        var grid = updates[0].Grid;
        var shared = new SharedPlaces(updates.Count, TopK.ChunkMax);
        var parts = new SparseTensor[updates.Count];
        for (var tensor = 0; tensor < grid.TensorCount; tensor++)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                Invariant.Check(ReferenceEquals(updates[i].Grid, grid));
                parts[i] = updates[i][tensor];
            }

            for (var chunk = 0; chunk < grid[tensor].ChunkCount; chunk++)
            {
                if (grid[tensor].KeepOf(chunk) == grid[tensor].LengthOf(chunk))
                {
                    continue;
                }

                total += grid[tensor].KeepOf(chunk);
                for (var i = 0; i < updates.Count; i++)
                {
                    shared.Add(i, parts[i].IndicesOf(chunk));
                }

                shared.NextChunk();
            }
        }

        return [.. Enumerable.Range(1, updates.Count - 1).SelectMany(
            b => Enumerable.Range(0, b).Select(a => (a, b, new Overlap(shared.Between(a, b), total))))];
    }

    /// <summary>Merges without branches: both runs rise strictly.</summary>
    private static int CountShared(ReadOnlySpan<ushort> a, ReadOnlySpan<ushort> b)
    {
        var (i, j, shared) = (0, 0, 0);
        while (i < a.Length && j < b.Length)
        {
            var (x, y) = (a[i], b[j]);
            shared += x == y ? 1 : 0;
            i += x <= y ? 1 : 0;
            j += y <= x ? 1 : 0;
        }

        return shared;
    }
}
