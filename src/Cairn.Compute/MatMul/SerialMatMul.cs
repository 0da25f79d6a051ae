using Cairn.Base;

namespace Cairn.Compute;

/// <summary>Matrix products on one thread, for blocks that a worker owns (attention) or for a strip of a larger product.</summary>
/// <remarks>Same bits as <see cref="MatMulEngine"/>. Holds scratch memory, so one instance per worker; allocates only while its scratch grows.
/// Each panel of B is packed just before its use and stays in the first-level cache.</remarks>
internal sealed unsafe class SerialMatMul : IDisposable
{
    // Packed rows of A at a time: with a depth of one K block they fill half of a second-level cache.
    private const int RowsAtOnce = 360;

    // Below this many columns reading A in place costs less than copying it (measured: strided broadcasts run at full speed).
    private const int PackColumnsMin = 2048;

    // A transposed A whose steps lie pages apart is read one short row of a tile per page: worth copying where that is half a cache line or less.
    private const int PackStepMin = 1024;
    private const int PackRowsMax = 8;

    private readonly MicroKernelSet _kernels;
    private readonly Scratch _left = new();
    private readonly Scratch _right = new();

    /// <summary>Uses the best micro-kernels of this processor unless told otherwise.</summary>
    internal SerialMatMul(MicroKernelSet? kernels = null) => _kernels = kernels ?? MicroKernelSet.Best;

    /// <summary>C[m,n] = op(A)[m,k] · op(B)[k,n], added to C when <paramref name="accumulate"/>. All row-major; C aliases neither A nor B.</summary>
    /// <param name="a">[m, k], or [k, m] when <paramref name="transposeA"/>.</param>
    /// <param name="aStride">Floats between stored rows of A.</param>
    /// <param name="transposeA">Whether A is stored transposed.</param>
    /// <param name="b">[k, n], or [n, k] when <paramref name="transposeB"/>.</param>
    /// <param name="bStride">Floats between stored rows of B.</param>
    /// <param name="transposeB">Whether B is stored transposed.</param>
    /// <param name="c">[m, n].</param>
    /// <param name="cStride">Floats between rows of C.</param>
    /// <param name="m">At least 1.</param>
    /// <param name="n">At least 1.</param>
    /// <param name="k">At least 1.</param>
    /// <param name="accumulate">Whether C is added to; otherwise it is overwritten and need not be initialised.</param>
    internal void Multiply(
        float* a, nint aStride, bool transposeA, float* b, nint bStride, bool transposeB, float* c, nint cStride, int m, int n, int k, bool accumulate) =>
        Multiply(MatrixView.OfLeft(a, aStride, transposeA), MatrixView.OfRight(b, bStride, transposeB), c, cStride, m, n, k, accumulate);

    /// <summary>The same over views.</summary>
    internal void Multiply(MatrixView a, MatrixView b, float* c, nint cStride, int m, int n, int k, bool accumulate)
    {
        Invariant.Check(m > 0 && n > 0 && k > 0);
        if (m <= _kernels.Rows)
        {
            MultiplyPanel(a, b, c, cStride, m, n, k, accumulate);
            return;
        }

        var block = KBlocking.BlockLength(k);
        for (var row = 0; row < m; row += RowsAtOnce)
        {
            for (var first = 0; first < k; first += block)
            {
                var depth = Math.Min(block, k - first);
                MultiplyBlock(
                    a.From(row, first), b.From(0, first), c + (row * cStride), cStride, Math.Min(RowsAtOnce, m - row), n, depth, accumulate || first > 0);
            }
        }
    }

    /// <summary>Takes the scratch that <see cref="Multiply(MatrixView, MatrixView, float*, nint, int, int, int, bool)"/> will need. Which worker gets which
    /// item is chance; who allocates when must not be.</summary>
    /// <param name="rows">Rows of A at most.</param>
    /// <param name="k">Length of the sums.</param>
    internal void Reserve(int rows, int k)
    {
        var depth = KBlocking.BlockLength(k);
        _left.Take(rows <= _kernels.Rows ? checked(_kernels.Rows * k) : LeftLength(Math.Min(rows, RowsAtOnce), depth));
        _right.Take(_kernels.Columns * depth);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
    }

    /// <summary>Prepares a block of A in this worker's scratch.</summary>
    internal LeftBlock Prepare(MatrixView a, int rows, int columns, int k) =>
        new(_kernels, a, rows, k, PaysToPack(a, columns), _left.Take(LeftLength(rows, k)));

    private int LeftLength(int rows, int k) => checked((rows + _kernels.Rows) * k);

    private bool PaysToPack(MatrixView a, int columns) =>
        columns >= PackColumnsMin || (a.Line == 1 && a.Step >= PackStepMin && _kernels.Rows <= PackRowsMax);

    /// <summary>A handful of rows: B is read once, and each of its lines from end to end, as memory likes it.</summary>
    private void MultiplyPanel(MatrixView a, MatrixView b, float* c, nint cStride, int rows, int n, int k, bool accumulate)
    {
        var height = _kernels.Height(rows);
        var left = _left.Take(checked(height * k));
        PanelPacking.Pack(a, rows, k, height, left);
        var block = KBlocking.BlockLength(k);
        var width = _kernels.Columns;
        var panel = _right.Take(width * block);
        for (var column = 0; column < n; column += width)
        {
            var columns = Math.Min(width, n - column);
            for (var first = 0; first < k; first += block)
            {
                var depth = Math.Min(block, k - first);
                PanelPacking.Pack(b.From(column, first), columns, depth, width, panel);
                _kernels.RunEdge(
                    height, rows, columns, depth, left + ((nint)first * height), 1, height, panel, width, c + column, cStride, accumulate || first > 0);
            }
        }
    }

    private void MultiplyBlock(MatrixView a, MatrixView b, float* c, nint cStride, int rows, int n, int k, bool accumulate)
    {
        var left = Prepare(a, rows, n, k);
        var width = _kernels.Columns;
        var panel = _right.Take(width * k);
        for (var column = 0; column < n; column += width)
        {
            var columns = Math.Min(width, n - column);
            PanelPacking.Pack(b.From(column, 0), columns, k, width, panel);
            left.Multiply(_kernels, panel, width, columns, c + column, cStride, accumulate);
        }
    }
}
