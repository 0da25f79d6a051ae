namespace Cairn.Sparse;

/// <summary>A tensor as this room sees it: a name, a shape and a place in one flat run of fp32 numbers.</summary>
/// <param name="Name">What the model calls it: 1 to 256 bytes of UTF-8, unique in its grid.</param>
/// <param name="Rows">Rows, at least 1. A tensor of one row is one-dimensional.</param>
/// <param name="Cols">Columns, at least 1. Rows × Cols stays below 2^31: a larger tensor is described in pieces.</param>
/// <param name="Offset">Its first element in the flat run; local to this machine, so it is no part of <see cref="ChunkGrid.Digest"/>.</param>
public readonly record struct TensorSpec(string Name, int Rows, int Cols, long Offset)
{
    /// <summary>True if the tensor has one row: it is cut into runs instead of blocks.</summary>
    public bool IsOneDimensional => Rows == 1;

    /// <summary>Elements.</summary>
    public int Length => checked(Rows * Cols);
}
