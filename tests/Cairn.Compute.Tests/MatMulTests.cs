using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute.Tests;

public sealed class MatMulTests
{
    /// <summary>Odd, prime, tile-sized and K-block-sized extents.</summary>
    public static TheoryData<int, int, int> Shapes => new()
    {
        { 1, 1, 1 }, { 2, 3, 5 }, { 7, 13, 17 }, { 12, 32, 16 }, { 13, 33, 31 }, { 24, 64, 384 }, { 5, 67, 385 },
        { 61, 47, 101 }, { 97, 131, 769 }, { 1, 129, 257 }, { 8, 100, 400 }, { 193, 65, 64 }, { 211, 521, 37 }, { 373, 40, 61 }, { 256, 64, 256 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_product_matches_a_sum_in_double(int m, int n, int k)
    {
        foreach (var form in Form.All)
        {
            foreach (var accumulate in new[] { false, true })
            {
                var problem = new MatMulProblem(m, n, k, form, accumulate);
                problem.AssertClose(problem.Run(MicroKernelSet.Best, threads: 1), $"{form} accumulate {accumulate}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void All_micro_kernels_and_thread_counts_give_the_same_bits(int m, int n, int k)
    {
        foreach (var form in Form.All)
        {
            var problem = new MatMulProblem(m, n, k, form, accumulate: true);
            var expected = problem.Run(MicroKernelSet.Wide128, threads: 1);
            foreach (var kernels in new[] { MicroKernelSet.Wide128, MicroKernelSet.Wide256, MicroKernelSet.Wide512 })
            {
                for (var threads = 1; threads <= 3; threads++)
                {
                    Assert.True(
                        SameBits(expected, problem.Run(kernels, threads)), $"{m}x{n}x{k} {form} {kernels.Name} {threads} threads");
                }

                Assert.True(SameBits(expected, problem.RunSerial(kernels)), $"{m}x{n}x{k} {form} {kernels.Name} serial");
            }
        }
    }

    [Fact]
    public void Rows_beyond_the_stride_are_left_alone()
    {
        var problem = new MatMulProblem(29, 37, 41, new Form(false, true), accumulate: false, padding: 5);
        problem.AssertClose(problem.Run(MicroKernelSet.Best, threads: 2), "padded");
    }

    [Fact]
    public void The_sum_is_cut_into_the_blocks_of_the_contract()
    {
        Assert.Equal(16, KBlocking.BlockLength(1));
        Assert.Equal(128, KBlocking.BlockLength(128));
        Assert.Equal(384, KBlocking.BlockLength(384));
        Assert.Equal(208, KBlocking.BlockLength(385));
        Assert.Equal(352, KBlocking.BlockLength(1024));

        var problem = new MatMulProblem(3, 4, 1000, new Form(false, true), accumulate: false);
        Assert.True(SameBits(problem.ByContract(), problem.Run(MicroKernelSet.Best, threads: 1)));
    }

    [Theory]
    [InlineData(MatMulPrecision.Fp32, 300)]
    [InlineData(MatMulPrecision.Fp32, 100)]
    [InlineData(MatMulPrecision.Fp32, 3)]
    [InlineData(MatMulPrecision.Bf16, 300)]
    public void A_call_of_a_known_size_allocates_nothing(MatMulPrecision precision, int rows)
    {
        Assert.SkipUnless(precision == MatMulPrecision.Fp32 || CpuKernels.HasBf16, "no bf16 here");
        using var pool = new WorkPool(2);
        using var engine = new MatMulEngine(pool, precision: precision);
        var problem = new MatMulProblem(rows, 200, 500, new Form(false, true), accumulate: false);
        problem.Run(engine);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var call = 0; call < 10; call++)
        {
            problem.Run(engine);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    internal static bool SameBits(float[] a, float[] b) =>
        MemoryMarshal.Cast<float, uint>(a.AsSpan()).SequenceEqual(MemoryMarshal.Cast<float, uint>(b.AsSpan()));
}
