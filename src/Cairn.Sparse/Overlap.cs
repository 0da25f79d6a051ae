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
    public static Overlap Between(SparseUpdate a, SparseUpdate b)
    {
        Invariant.Check(ReferenceEquals(a.Grid, b.Grid));
        var (shared, total) = (0L, 0L);
        for (var tensor = 0; tensor < a.Grid.TensorCount; tensor++)
        {
            var grid = a.Grid[tensor];
            for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
            {
                if (grid.KeepOf(chunk) < grid.LengthOf(chunk))
                {
                    total += grid.KeepOf(chunk);
                    shared += CountShared(a[tensor].IndicesOf(chunk), b[tensor].IndicesOf(chunk));
                }
            }
        }

        return new Overlap(shared, total);
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
