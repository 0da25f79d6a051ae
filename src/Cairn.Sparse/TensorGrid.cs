using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How one tensor is cut into chunks, and where each element of a chunk lies.</summary>
/// <remarks>A matrix is cut into blocks of 64 × 64 from its first element on; the blocks at its right and lower edges are as narrow and as low as what is left. Blocks
/// are numbered row by row, elements inside a block too. A tensor of one row is cut into runs of 4096, the last one shorter. Source: SparseLoCo as run for
/// Covenant-72B, §2.1; it took the largest divisor up to 64 instead, under which a prime side is sent whole, and sent 64 of whatever a chunk had.
/// Where both sides are multiples of 64 the two rules are one.</remarks>
public sealed class TensorGrid
{
    private const int BlockSide = 64;
    private readonly ChunkShape _whole, _right, _lower, _corner;
    private readonly int _blocksPerRow, _blockRows, _valuesPerBlockRow;
    private readonly bool _uniform;

    internal TensorGrid(TensorSpec spec, int keep)
    {
        Invariant.Check(spec.Rows >= 1 && spec.Cols >= 1);
        Invariant.Check((long)spec.Rows * spec.Cols <= int.MaxValue);
        Invariant.Check(spec.Offset >= 0);
        Spec = spec;
        BlockRows = spec.IsOneDimensional ? 1 : Math.Min(spec.Rows, BlockSide);
        BlockCols = Math.Min(spec.Cols, spec.IsOneDimensional ? TopK.ChunkMax : BlockSide);
        _blocksPerRow = ((spec.Cols - 1) / BlockCols) + 1;
        _blockRows = ((spec.Rows - 1) / BlockRows) + 1;
        ChunkCount = checked(_blockRows * _blocksPerRow);
        var (restRows, restCols) = (spec.Rows - ((_blockRows - 1) * BlockRows), spec.Cols - ((_blocksPerRow - 1) * BlockCols));
        _whole = new ChunkShape(BlockRows, BlockCols, spec.Cols, keep);
        _right = restCols == BlockCols ? _whole : new ChunkShape(BlockRows, restCols, spec.Cols, keep);
        _lower = restRows == BlockRows ? _whole : new ChunkShape(restRows, BlockCols, spec.Cols, keep);
        _corner = restCols == BlockCols ? _lower : restRows == BlockRows ? _right : new ChunkShape(restRows, restCols, spec.Cols, keep);
        _uniform = ReferenceEquals(_whole, _corner);
        _valuesPerBlockRow = ((_blocksPerRow - 1) * _whole.Keep) + _right.Keep;
        ValueCount = checked(((_blockRows - 1) * _valuesPerBlockRow) + ((_blocksPerRow - 1) * _lower.Keep) + _corner.Keep);
    }

    /// <summary>The tensor.</summary>
    public TensorSpec Spec { get; }

    /// <summary>Rows of a block that is not at the lower edge; 1 for a one-dimensional tensor.</summary>
    public int BlockRows { get; }

    /// <summary>Columns of a block that is not at the right edge, or the length of a run.</summary>
    public int BlockCols { get; }

    /// <summary>Chunks in the tensor.</summary>
    public int ChunkCount { get; }

    /// <summary>Values sent of the whole tensor.</summary>
    public int ValueCount { get; }

    /// <summary>The size of one chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public ChunkShape ShapeOf(int chunk)
    {
        if (_uniform)
        {
            return _whole;
        }

        var (row, col) = Math.DivRem(chunk, _blocksPerRow);
        return row < _blockRows - 1
            ? (col < _blocksPerRow - 1 ? _whole : _right)
            : (col < _blocksPerRow - 1 ? _lower : _corner);
    }

    /// <summary>Elements of a chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int LengthOf(int chunk) => ShapeOf(chunk).Length;

    /// <summary>Values sent of a chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int KeepOf(int chunk) => ShapeOf(chunk).Keep;

    /// <summary>The place of a chunk's first value among the tensor's values.</summary>
    /// <param name="chunk">0 to ChunkCount; the last gives ValueCount.</param>
    public int FirstValueOf(int chunk) =>
        _uniform ? chunk * _whole.Keep
        : chunk == ChunkCount ? ValueCount
        : (int)Before(chunk, _valuesPerBlockRow, _whole.Keep, _lower.Keep);

    /// <summary>The place of a chunk's first element in the tensor.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int OriginOf(int chunk)
    {
        var (row, col) = Math.DivRem(chunk, _blocksPerRow);
        return (row * BlockRows * Spec.Cols) + (col * BlockCols);
    }

    /// <summary>How many chunks from this one on lie side by side and are equally high: 1 to <paramref name="most"/>.</summary>
    internal int SideBySide(int chunk, int most) => Math.Min(most, _blocksPerRow - (chunk % _blocksPerRow));

    /// <summary>Bytes of the fast mode's records before a chunk; with ChunkCount, of all of them.</summary>
    internal long RecordsBefore(int chunk, int bitsPerValue)
    {
        var whole = _whole.RecordBytes(bitsPerValue);
        if (_uniform)
        {
            return (long)chunk * whole;
        }

        var lower = _lower.RecordBytes(bitsPerValue);
        var perRow = ((_blocksPerRow - 1L) * whole) + _right.RecordBytes(bitsPerValue);
        return chunk == ChunkCount
            ? ((_blockRows - 1) * perRow) + ((_blocksPerRow - 1L) * lower) + _corner.RecordBytes(bitsPerValue)
            : Before(chunk, perRow, whole, lower);
    }

    // What lies before a chunk, where a block row holds so much, and a block of an inner and of the last block row so much.
    private long Before(int chunk, long perRow, int inner, int last)
    {
        var (row, col) = Math.DivRem(chunk, _blocksPerRow);
        return (row * perRow) + ((long)col * (row < _blockRows - 1 ? inner : last));
    }
}
