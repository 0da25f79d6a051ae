using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Training;

/// <summary>The orthonormal two-dimensional DCT-II of every block of one tensor, there and back. Blocks stay where they lie in the tensor.</summary>
/// <remarks>A matrix [M,N] is cut into blocks of c(M) × c(N), where c(n) is the largest divisor of n up to 64; a vector is a matrix of one row, so its
/// blocks are 1 × c(N) and their transform is one-dimensional. Basis: C[k,n] = s(k)·cos(π(n + ½)k/B), s(0) = √(1/B), otherwise √(2/B) (Ahmed, Natarajan
/// and Rao 1974); Y = C·X·Cᵀ, X = Cᵀ·Y·C. All blocks of a row of blocks are one product of the kernels. Tier T2 with the CPU kernels.
/// Cost: 2·(c(M) + c(N)) FLOPs per element.</remarks>
public sealed class CosineTransform
{
    private const int SideMax = 64;
    private readonly float[] _ofRows;
    private readonly float[] _ofColumns;
    private readonly int _rows;
    private readonly int _columns;

    /// <summary>Cuts a tensor.</summary>
    /// <param name="rows">M, at least 1; 1 for a vector.</param>
    /// <param name="columns">N, at least 1.</param>
    public CosineTransform(int rows, int columns)
    {
        Invariant.Check(rows > 0 && columns > 0);
        (_rows, _columns) = (rows, columns);
        (BlockRows, BlockColumns) = (SideOf(rows), SideOf(columns));
        (_ofRows, _ofColumns) = (Basis(BlockRows), Basis(BlockColumns));
    }

    /// <summary>Rows of a block.</summary>
    public int BlockRows { get; }

    /// <summary>Columns of a block.</summary>
    public int BlockColumns { get; }

    /// <summary>Blocks in the tensor.</summary>
    public int BlockCount => _rows / BlockRows * (_columns / BlockColumns);

    /// <summary>Elements to coefficients: Y = C·X·Cᵀ in every block.</summary>
    /// <param name="kernels">Computes.</param>
    /// <param name="xMN">[rows, columns].</param>
    /// <param name="scratchMN">As long; overwritten. None of the three may alias another.</param>
    /// <param name="yMN">As long; overwritten.</param>
    public void Forward(IKernels kernels, ReadOnlySpan<float> xMN, Span<float> scratchMN, Span<float> yMN)
    {
        Check(xMN, scratchMN, yMN);
        kernels.MatMul(xMN, _ofColumns, scratchMN, Lines, BlockColumns, BlockColumns, accumulate: false);
        for (var start = 0; start < xMN.Length; start += Band)
        {
            kernels.MatMulInputGradient(
                _ofRows, scratchMN.Slice(start, Band), yMN.Slice(start, Band), BlockRows, BlockRows, _columns, accumulate: false);
        }
    }

    /// <summary>Coefficients to elements: X = Cᵀ·Y·C in every block.</summary>
    /// <param name="kernels">Computes.</param>
    /// <param name="yMN">[rows, columns].</param>
    /// <param name="scratchMN">As long; overwritten. None of the three may alias another.</param>
    /// <param name="xMN">As long; overwritten.</param>
    public void Inverse(IKernels kernels, ReadOnlySpan<float> yMN, Span<float> scratchMN, Span<float> xMN)
    {
        Check(yMN, scratchMN, xMN);
        for (var start = 0; start < yMN.Length; start += Band)
        {
            kernels.MatMulParameterGradient(
                _ofRows, yMN.Slice(start, Band), scratchMN.Slice(start, Band), BlockRows, BlockRows, _columns, accumulate: false);
        }

        kernels.MatMulInputGradient(scratchMN, _ofColumns, xMN, Lines, BlockColumns, BlockColumns, accumulate: false);
    }

    /// <summary>Where a block's first element lies in the tensor; blocks are numbered row by row.</summary>
    /// <param name="block">0 to BlockCount − 1.</param>
    public int OriginOf(int block)
    {
        var (row, column) = Math.DivRem(block, _columns / BlockColumns);
        return (row * Band) + (column * BlockColumns);
    }

    // Elements of one row of blocks.
    private int Band => BlockRows * _columns;

    // Rows of all blocks together: as c(N) divides N they lie one after another.
    private int Lines => _rows * (_columns / BlockColumns);

    private void Check(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third) =>
        Invariant.Check(first.Length == _rows * _columns && second.Length == first.Length && third.Length == first.Length);

    private static int SideOf(int length)
    {
        var side = Math.Min(length, SideMax);
        while (length % side != 0)
        {
            side--;
        }

        return side;
    }

    private static float[] Basis(int side)
    {
        var basis = new float[side * side];
        for (var k = 0; k < side; k++)
        {
            var scale = Math.Sqrt((k == 0 ? 1.0 : 2.0) / side);
            for (var n = 0; n < side; n++)
            {
                basis[(k * side) + n] = (float)(scale * DeterministicMath.SinCos(Math.PI * (n + 0.5) * k / side).Cos);
            }
        }

        return basis;
    }
}
