using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The kernels on processors: SIMD over 16 fp32 lanes, shared by the threads of one pool. The same bits for any thread count and vector width.</summary>
/// <remarks>Every reduction has a fixed order: over fixed lanes, then fixed blocks of rows; threads only take turns at blocks. Fused multiply-add everywhere
/// (processors without one are correct and slow). One call at a time; no call of a known size allocates. One operation per file of this folder.</remarks>
public sealed unsafe partial class CpuKernels : IKernels
{
    // Rows of one work item where rows are independent: some tens of microseconds.
    private const int RowBlock = 32;

    private readonly WorkPool _pool;
    private readonly MatMulEngine _matMul;

    /// <summary>Starts the threads.</summary>
    /// <param name="threads">1 to 1024, the caller included.</param>
    /// <param name="precision">Of large matrix products. <see cref="MatMulPrecision.Bf16"/> only where <see cref="HasBf16"/>, and never where results
    /// may be replayed: its bits are not portable.</param>
    public CpuKernels(int threads, MatMulPrecision precision = MatMulPrecision.Fp32)
    {
        _pool = new WorkPool(threads);
        _matMul = new MatMulEngine(_pool, precision: precision);
        _attentionScratch = new Scratch[threads];
        _attentionMemory = new nint[threads];
        for (var i = 0; i < threads; i++)
        {
            _attentionScratch[i] = new Scratch();
        }
    }

    /// <summary>Whether this process can multiply in bf16: x64 Linux, AVX-512 BF16, executable memory allowed, self-test passed.</summary>
    public static bool HasBf16 => Bf16Kernel.Instance is not null;

    /// <inheritdoc/>
    public int Threads => _pool.Threads;

    /// <inheritdoc/>
    public void Dispose()
    {
        _pool.Dispose();
        _matMul.Dispose();
        _normScratch.Dispose();
        _activationScratch.Dispose();
        foreach (var scratch in _attentionScratch)
        {
            scratch.Dispose();
        }
    }

    private static int Blocks(int items, int perBlock) => (items + perBlock - 1) / perBlock;
}
