using Cairn.Base;

namespace Cairn.Compute;

/// <summary>Matrix products over all threads of a pool: Goto and van de Geijn's blocking (2008) with K cut as <see cref="KBlocking"/> says.</summary>
/// <remarks>Threads share rows or columns of C, never the sum over k, so that the bits do not depend on their number. Allocates only while its
/// scratch grows. One call at a time.</remarks>
internal sealed unsafe class MatMulEngine : IDisposable
{
    private readonly WorkPool _pool;
    private readonly MicroKernelSet _kernels;
    private readonly SerialMatMul[] _serial;
    private readonly Bf16MatMul? _bf16;
    private readonly Scratch _right = new();

    /// <summary>Works on the pool's threads; the pool stays the caller's.</summary>
    /// <param name="pool">Whose threads.</param>
    /// <param name="kernels">The best of this processor unless told otherwise.</param>
    /// <param name="precision">Bf16 only where <see cref="Bf16Kernel.Instance"/> is not null; small products are fp32 even so.</param>
    internal MatMulEngine(WorkPool pool, MicroKernelSet? kernels = null, MatMulPrecision precision = MatMulPrecision.Fp32)
    {
        _pool = pool;
        if (precision == MatMulPrecision.Bf16)
        {
            Invariant.Check(Bf16Kernel.Instance is not null);
            _bf16 = new Bf16MatMul(pool, Bf16Kernel.Instance);
        }

        _kernels = kernels ?? MicroKernelSet.Best;
        _serial = new SerialMatMul[pool.Threads];
        for (var i = 0; i < _serial.Length; i++)
        {
            _serial[i] = new SerialMatMul(_kernels);
        }
    }

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
        float* a, nint aStride, bool transposeA, float* b, nint bStride, bool transposeB, float* c, nint cStride, int m, int n, int k, bool accumulate)
    {
        Invariant.Check(m > 0 && n > 0 && k > 0);
        var product = new Product(
            MatrixView.OfLeft(a, aStride, transposeA), MatrixView.OfRight(b, bStride, transposeB), c, cStride, m, n, k, accumulate);
        if (_bf16 is not null && Bf16MatMul.Pays(product))
        {
            _bf16.Multiply(product);
        }
        else if (m <= StripWork.RowsMax)
        {
            MultiplyStrips(product);
        }
        else
        {
            MultiplyBlocks(product);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _right.Dispose();
        _bf16?.Dispose();
        foreach (var serial in _serial)
        {
            serial.Dispose();
        }
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private void Reserve(int rows, int k)
    {
        foreach (var serial in _serial)
        {
            serial.Reserve(rows, k);
        }
    }

    private void MultiplyStrips(in Product product)
    {
        var share = (product.N + (StripWork.StripsPerThread * _pool.Threads) - 1) / (StripWork.StripsPerThread * _pool.Threads);
        var columns = _pool.Threads == 1 ? product.N : RoundUp(share, _kernels.Columns);
        Reserve(product.M, product.K);
        var work = new StripWork(product, _serial, columns);
        _pool.Run(ref work, (product.N + columns - 1) / columns);
    }

    private void MultiplyBlocks(in Product product)
    {
        Reserve(BlockWork.RowsMax, product.K);
        var block = KBlocking.BlockLength(product.K);
        for (var column = 0; column < product.N; column += BlockWork.ColumnsMax)
        {
            var columns = Math.Min(BlockWork.ColumnsMax, product.N - column);
            var panels = _right.Take(RoundUp(columns, _kernels.Columns) * block);
            for (var first = 0; first < product.K; first += block)
            {
                var part = product.Part(column, columns, first, Math.Min(block, product.K - first));
                MultiplyBlock(part, panels);
            }
        }
    }

    private void MultiplyBlock(in Product part, float* panels)
    {
        var width = _kernels.Columns * PackWork.PanelsPerItem;
        var pack = new PackWork(part.B, part.N, part.K, _kernels.Columns, panels);
        _pool.Run(ref pack, (part.N + width - 1) / width);

        var rows = RoundUp((part.M + (BlockWork.BlocksPerThread * _pool.Threads) - 1) / (BlockWork.BlocksPerThread * _pool.Threads), _kernels.Rows);
        rows = Math.Clamp(_pool.Threads == 1 ? part.M : rows, 2 * _kernels.Rows, BlockWork.RowsMax);
        var multiply = new BlockWork(part, _kernels, _serial, panels, rows);
        _pool.Run(ref multiply, (part.M + rows - 1) / rows);
    }
}
