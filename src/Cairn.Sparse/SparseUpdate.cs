using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>One peer's compressed pseudo-gradient of one round: under which rules, which round, whose, and one <see cref="SparseTensor"/> per tensor
/// of the grid.</summary>
public sealed class SparseUpdate : ISparseUpdate
{
    private readonly SparseTensor[] _tensors;

    /// <summary>Puts an update together from its tensors.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="rules">Digest of the rules of the run.</param>
    /// <param name="round">The round it was trained in.</param>
    /// <param name="uid">Whose it is.</param>
    /// <param name="tensors">One for each tensor of the grid, in its order.</param>
    public SparseUpdate(ChunkGrid grid, Digest rules, Round round, Uid uid, IReadOnlyList<SparseTensor> tensors)
    {
        Invariant.Check(tensors.Count == grid.TensorCount);
        for (var i = 0; i < tensors.Count; i++)
        {
            Invariant.Check(ReferenceEquals(tensors[i].Grid, grid[i]));
        }

        (Grid, Rules, Round, Uid, _tensors) = (grid, rules, round, uid, [.. tensors]);
    }

    /// <inheritdoc/>
    public ChunkGrid Grid { get; }

    /// <summary>Digest of the rules of the run.</summary>
    public Digest Rules { get; }

    /// <inheritdoc/>
    public Round Round { get; }

    /// <inheritdoc/>
    public Uid Uid { get; }

    /// <summary>True if the other says the same of every tensor: places, codes, scales and what they stand for. Cost: one pass over both.</summary>
    /// <param name="other">Of the same grid.</param>
    public bool SaysTheSameAs(ISparseUpdate other)
    {
        Invariant.Check(ReferenceEquals(Grid, other.Grid));
        for (var i = 0; i < _tensors.Length; i++)
        {
            var (one, two) = (_tensors[i], other[i]);
            if (!one.Indices.SequenceEqual(two.Indices) || !one.Codes.SequenceEqual(two.Codes) || !one.Scales.SequenceEqual(two.Scales)
                || one.Book.Kind != two.Book.Kind || !MemoryMarshal.AsBytes(one.Book.Table).SequenceEqual(MemoryMarshal.AsBytes(two.Book.Table)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One tensor's part; of an update that is in memory whole, for as long as one likes.</summary>
    /// <param name="tensor">0 to Grid.TensorCount − 1.</param>
    public SparseTensor this[int tensor] => _tensors[tensor];
}
