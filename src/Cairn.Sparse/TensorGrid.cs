using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How one tensor is cut into chunks, and where each element of a chunk lies.</summary>
/// <remarks>A matrix [M,N] is cut into blocks of c(M) × c(N), where c(n) is the largest divisor of n up to 64; blocks are numbered row by row,
/// elements inside a block too. A one-dimensional tensor is cut into runs of 4096, the last one shorter. Of each chunk the k = min(keep, length)
/// largest values are sent. Source: SparseLoCo as run for Covenant-72B, §2.1 (4096 for vectors; the released code cut those into 64).</remarks>
public sealed class TensorGrid
{
    private const int BlockSideMax = 64;
    private readonly int[] _offsetInBlock;
    private readonly int _blocksPerRow;

    internal TensorGrid(TensorSpec spec, int keepMax)
    {
        Invariant.Check(spec.Rows >= 1 && spec.Cols >= 1);
        Invariant.Check((long)spec.Rows * spec.Cols <= int.MaxValue);
        Invariant.Check(spec.Offset >= 0);
        Spec = spec;
        BlockRows = spec.IsOneDimensional ? 1 : BlockSide(spec.Rows);
        BlockCols = spec.IsOneDimensional ? Math.Min(spec.Cols, TopK.ChunkMax) : BlockSide(spec.Cols);
        _blocksPerRow = ((spec.Cols - 1) / BlockCols) + 1;
        ChunkCount = spec.Rows / BlockRows * _blocksPerRow;
        ChunkLength = BlockRows * BlockCols;
        LastChunkLength = spec.Length - ((ChunkCount - 1) * ChunkLength);
        Keep = Math.Min(keepMax, ChunkLength);
        LastKeep = Math.Min(keepMax, LastChunkLength);
        ValueCount = checked(((ChunkCount - 1) * Keep) + LastKeep);
        _offsetInBlock = new int[ChunkLength];
        for (var i = 0; i < ChunkLength; i++)
        {
            _offsetInBlock[i] = (i / BlockCols * spec.Cols) + (i % BlockCols);
        }
    }

    /// <summary>The tensor.</summary>
    public TensorSpec Spec { get; }

    /// <summary>Rows of a block; 1 for a one-dimensional tensor.</summary>
    public int BlockRows { get; }

    /// <summary>Columns of a block, or the length of a run.</summary>
    public int BlockCols { get; }

    /// <summary>Chunks in the tensor.</summary>
    public int ChunkCount { get; }

    /// <summary>Elements of every chunk but the last; at most 4096.</summary>
    public int ChunkLength { get; }

    /// <summary>Elements of the last chunk: fewer only where a one-dimensional tensor does not end on a whole run.</summary>
    public int LastChunkLength { get; }

    /// <summary>Values sent of every chunk but the last.</summary>
    public int Keep { get; }

    /// <summary>Values sent of the last chunk.</summary>
    public int LastKeep { get; }

    /// <summary>Values sent of the whole tensor.</summary>
    public int ValueCount { get; }

    /// <summary>Bytes of this tensor's section in an update: shift, scale, codebook, 12-bit indices and 2-bit codes, each packed run filled up to a
    /// whole byte.</summary>
    public long SectionBytes => SparseUpdateCodec.TensorHeaderBytes + Packing.IndexBytes(ValueCount) + Packing.CodeBytes(ValueCount);

    /// <summary>Where each element of a chunk lies, counted from the chunk's first element in the tensor: [ChunkLength].</summary>
    internal ReadOnlySpan<int> OffsetInBlock => _offsetInBlock;

    /// <summary>The largest divisor of n up to 64: c(n).</summary>
    /// <param name="n">At least 1. A prime above 64 gives 1, and its tensor is then sent almost whole: choose other dimensions.</param>
    public static int BlockSide(int n)
    {
        for (var side = Math.Min(n, BlockSideMax); side > 1; side--)
        {
            if (n % side == 0)
            {
                return side;
            }
        }

        return 1;
    }

    /// <summary>Elements of a chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int LengthOf(int chunk) => chunk == ChunkCount - 1 ? LastChunkLength : ChunkLength;

    /// <summary>Values sent of a chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int KeepOf(int chunk) => chunk == ChunkCount - 1 ? LastKeep : Keep;

    /// <summary>The place of a chunk's first value among the tensor's values.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int FirstValueOf(int chunk) => chunk * Keep;

    /// <summary>The place of a chunk's first element in the tensor.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int OriginOf(int chunk)
    {
        var (blockRow, blockCol) = Math.DivRem(chunk, _blocksPerRow);
        return (blockRow * BlockRows * Spec.Cols) + (blockCol * BlockCols);
    }
}
