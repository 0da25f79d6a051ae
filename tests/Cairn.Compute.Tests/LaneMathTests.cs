using System.Runtime.Intrinsics;

namespace Cairn.Compute.Tests;

/// <summary>The error of our own exponential and logarithm, in units of the last place, against double.</summary>
public sealed class LaneMathTests
{
    // A prime stride over the bit patterns: all exponents, all parts of the mantissa. The summaries state the worst of all floats.
    private const uint Stride = 6007;

    [Fact]
    public void The_exponential_is_within_1_01_units_of_the_last_place()
    {
        var worst = 0.0;
        for (var bits = 0u; bits < 0x42B0_0000; bits += Stride)
        {
            var x = BitConverter.UInt32BitsToSingle(bits);
            worst = Math.Max(worst, x <= LaneMath.ExpHighest ? Error(Exp(x), Math.Exp(x)) : 0);
            worst = Math.Max(worst, -x >= LaneMath.ExpLowest ? Error(Exp(-x), Math.Exp(-x)) : 0);
        }

        Assert.InRange(worst, 0.5, 1.01);
    }

    [Fact]
    public void The_logarithm_is_the_rounded_one()
    {
        var worst = 0.0;
        for (var bits = 1u; bits < 0x7F80_0000; bits += Stride)
        {
            var x = BitConverter.UInt32BitsToSingle(bits);
            worst = Math.Max(worst, Error(LaneMath.Log(x), Math.Log(x)));
        }

        Assert.InRange(worst, 0.49, 0.5001);
    }

    [Fact]
    public void The_ends_of_the_exponential_are_exact()
    {
        Assert.Equal(1f, Exp(0f));
        Assert.Equal(1f, Exp(-0f));
        Assert.Equal(0f, Exp(float.NegativeInfinity));
        Assert.Equal(0f, Exp(-1e30f));
        Assert.Equal(0f, Exp(MathF.BitDecrement(LaneMath.ExpLowest)));
        Assert.True(float.IsNormal(Exp(LaneMath.ExpLowest)));
        Assert.True(float.IsFinite(Exp(LaneMath.ExpHighest)));
        Assert.Equal(float.PositiveInfinity, Exp(MathF.BitIncrement(LaneMath.ExpHighest)));
        Assert.Equal(float.PositiveInfinity, Exp(float.MaxValue));
        Assert.Equal(float.PositiveInfinity, Exp(float.PositiveInfinity));
        Assert.Equal(float.NaN, Exp(float.NaN));
    }

    [Fact]
    public void The_ends_of_the_logarithm_are_exact()
    {
        Assert.Equal(0f, LaneMath.Log(1));
        Assert.Equal(float.NegativeInfinity, LaneMath.Log(0));
        Assert.Equal(float.PositiveInfinity, LaneMath.Log(float.PositiveInfinity));
        Assert.Equal(float.NaN, LaneMath.Log(-1));
        Assert.Equal(float.NaN, LaneMath.Log(float.NaN));
    }

    [Fact]
    public void Lanes_are_joined_by_halves()
    {
        var lanes = Vector512.Create(1e8f, 1, 2, 3, 4, 5, 6, 7, -1e8f, 9, 10, 11, 12, 13, 14, 15);
        Assert.Equal(112f, Lanes.Sum(lanes));
        Assert.Equal(1e8f, Lanes.Largest(lanes));
    }

    private static float Exp(float x) => LaneMath.Exp(Vector512.Create(x)).GetElement(5);

    /// <summary>Distance from the true value in steps of the floats around it.</summary>
    private static double Error(float actual, double exact)
    {
        var near = Math.Abs((float)exact);
        return exact == 0 ? Math.Abs(actual) : Math.Abs(actual - exact) / (MathF.BitIncrement(near) - (double)near);
    }
}
