using Cairn.Base;

namespace Cairn.Compute.Tests;

public sealed class Bf16Tests
{
    [Fact]
    public void The_code_of_the_kernel_is_the_one_that_was_read_and_disassembled()
    {
        var code = new byte[2048];
        var length = Bf16KernelCode.Write(12, code);
        Assert.Equal("0defe83767e0ba649f14d989224ec19e4c75fa1911768c5c5e0726cdd00cceb3", Digest.Of(code.AsSpan(0, length)).ToString());
        Assert.True(Bf16KernelCode.Write(4, code) < length && length < 2048);
    }

    [Theory]
    [InlineData("62727e4852c2", 8, 0, 2)]
    [InlineData("62627e4852fd", 31, 0, 5)]
    [InlineData("62627e4052fd", 31, 16, 5)]
    public void Dot_instructions_are_encoded_as_the_manual_says(string expected, int target, int left, int right)
    {
        var code = new byte[16];
        var writer = new EvexWriter(code);
        writer.DotPairs(target, left, right);
        Assert.Equal(expected, Convert.ToHexStringLower(code.AsSpan(0, writer.Length)));
    }

    [Theory]
    [InlineData(1f, 0x3F80)]
    [InlineData(-2f, 0xC000)]
    [InlineData(1.00390625f, 0x3F80)]
    [InlineData(1.01171875f, 0x3F82)]
    [InlineData(float.PositiveInfinity, 0x7F80)]
    [InlineData(float.MaxValue, 0x7F80)]
    public void Rounding_is_to_nearest_with_ties_to_even(float number, int expected) => Assert.Equal((ushort)expected, Bf16.Round(number));

    [Fact]
    public void Not_a_number_stays_one_whatever_its_payload()
    {
        foreach (var bits in new[] { 0x7FFFFFFFu, 0xFFFFFFFFu, 0x7F800001u, 0x7FC00000u })
        {
            Assert.True(float.IsNaN(Bf16.Widen(Bf16.Round(BitConverter.UInt32BitsToSingle(bits)))));
        }
    }

    [Theory]
    [InlineData(48, 64, 64)]
    [InlineData(61, 97, 129)]
    [InlineData(200, 130, 1601)]
    public void Products_are_those_of_rounded_factors(int m, int n, int k)
    {
        Assert.SkipUnless(CpuKernels.HasBf16, "no bf16 here");
        foreach (var form in Form.All)
        {
            foreach (var accumulate in new[] { false, true })
            {
                var problem = new MatMulProblem(m, n, k, form, accumulate);
                problem.RoundFactors();
                problem.AssertClose(problem.Run(MicroKernelSet.Best, threads: 2, MatMulPrecision.Bf16), $"bf16 {form} accumulate {accumulate}");
            }
        }
    }

    [Fact]
    public void Numbers_of_any_kind_pass_the_vector_rounding_as_the_scalar_one()
    {
        Assert.SkipUnless(CpuKernels.HasBf16, "no bf16 here");
        var problem = new MatMulProblem(48, 64, 96, new Form(false, true), accumulate: false);
        var unrounded = problem.Run(MicroKernelSet.Best, threads: 1, MatMulPrecision.Bf16);
        problem.RoundFactors();
        Assert.True(MatMulTests.SameBits(unrounded, problem.Run(MicroKernelSet.Best, threads: 3, MatMulPrecision.Bf16)));
    }
}
