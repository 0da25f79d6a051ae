namespace Cairn.Compute.Tests;

/// <summary>Same inputs, same bits: on any thread count and in any run. Vector widths and published digests:
/// <see cref="GoldenDigestTests"/>.</summary>
public sealed class SameBitsTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void The_number_of_threads_does_not_show_in_the_bits(int threads)
    {
        using var one = new CpuKernels(1);
        using var more = new CpuKernels(threads);
        foreach (var operation in KernelDigests.Operations)
        {
            Assert.Equal(KernelDigests.Of(operation, one), KernelDigests.Of(operation, more));
        }
    }

    [Fact]
    public void A_second_run_gives_the_bits_of_the_first()
    {
        using var kernels = new CpuKernels(2);
        foreach (var operation in KernelDigests.Operations)
        {
            Assert.Equal(KernelDigests.Of(operation, kernels), KernelDigests.Of(operation, kernels));
        }
    }
}
