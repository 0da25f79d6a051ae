namespace Cairn.Base;

/// <summary>Elementary functions of doubles from IEEE +, −, ×, ÷, √ and fused multiply-add alone: the same bits on every machine,
/// which the C library behind <see cref="Math"/> does not promise. Errors are stated with each.</summary>
public static class DeterministicMath
{
    private const double Ln2High = 0.6931471805598903;
    private const double Ln2Low = 5.497923018708371e-14;

    /// <summary>e^x with a relative error below 5e-16. Saturates to 0 below −708 and to +∞ above 709.</summary>
    /// <param name="x">Any number; NaN gives NaN.</param>
    public static double Exp(double x)
    {
        if (double.IsNaN(x))
        {
            return x;
        }

        if (x > 709)
        {
            return double.PositiveInfinity;
        }

        if (x < -708)
        {
            return 0;
        }

        var n = Math.Round(x * 1.4426950408889634);
        var r = Math.FusedMultiplyAdd(-n, Ln2High, x);
        r = Math.FusedMultiplyAdd(-n, Ln2Low, r);
        var sum = 1.0;
        for (var term = 14; term >= 1; term--)
        {
            sum = Math.FusedMultiplyAdd(sum, r / term, 1.0);
        }

        // Built from two factors so that neither leaves the normal range.
        var half = (int)n / 2;
        return sum * PowerOfTwo(half) * PowerOfTwo((int)n - half);
    }

    /// <summary>Natural logarithm with a relative error below 5e-16.</summary>
    /// <param name="x">Positive; 0 gives −∞, a negative number NaN.</param>
    public static double Log(double x)
    {
        if (double.IsNaN(x) || x < 0)
        {
            return double.NaN;
        }

        if (x == 0)
        {
            return double.NegativeInfinity;
        }

        if (double.IsPositiveInfinity(x))
        {
            return x;
        }

        var exponent = 0;
        if (x < 2.2250738585072014e-308)
        {
            x *= 18014398509481984.0;
            exponent = -54;
        }

        var bits = BitConverter.DoubleToInt64Bits(x);
        exponent += (int)(bits >> 52) - 1023;
        var m = BitConverter.Int64BitsToDouble((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
        if (m > 1.4142135623730951)
        {
            m *= 0.5;
            exponent++;
        }

        // log m = 2 artanh s, s = (m−1)/(m+1), |s| < 0.172
        var s = (m - 1) / (m + 1);
        var s2 = s * s;
        var sum = 0.0;
        for (var k = 23; k >= 1; k -= 2)
        {
            sum = Math.FusedMultiplyAdd(sum, s2, 1.0 / k);
        }

        return Math.FusedMultiplyAdd(exponent, Ln2High, Math.FusedMultiplyAdd(2 * s, sum, exponent * Ln2Low));
    }

    /// <summary>x^y for positive x. The relative error is below 4e-15 for results between e^−3 and e^3, and grows with |y ln x| to 3e-13.
    /// A result below 1e-308 may be 0.</summary>
    /// <param name="x">Positive.</param>
    /// <param name="y">Any number; an integer up to 1024 in size is raised by squaring: no logarithm.</param>
    public static double Pow(double x, double y)
    {
        if (y == Math.Truncate(y) && Math.Abs(y) <= 1024)
        {
            var result = 1.0;
            var factor = x;
            for (var n = (int)Math.Abs(y); n > 0; n >>= 1)
            {
                result = (n & 1) != 0 ? result * factor : result;
                factor *= factor;
            }

            return y < 0 ? 1 / result : result;
        }

        return Exp(y * Log(x));
    }

    /// <summary>Sine and cosine of an angle.</summary>
    /// <param name="x">Radians, up to a million in size: far beyond that the reduction loses digits.</param>
    /// <returns>Both, with an absolute error below 5e-16.</returns>
    public static (double Sin, double Cos) SinCos(double x)
    {
        // Reduce by π/2 in two parts (Cody and Waite): the first step is exact, since a fused multiply-add rounds once and the difference fits.
        var n = Math.Round(x * 0.6366197723675814);
        var r = Math.FusedMultiplyAdd(-n, 1.5707963267948966, x);
        r = Math.FusedMultiplyAdd(-n, 6.123233995736766e-17, r);
        var r2 = r * r;
        double sin = 1, cos = 1;
        for (var k = 20; k >= 2; k -= 2)
        {
            sin = Math.FusedMultiplyAdd(-sin, r2 / (k * (k + 1)), 1);
            cos = Math.FusedMultiplyAdd(-cos, r2 / (k * (k - 1)), 1);
        }

        sin *= r;
        return ((long)n & 3) switch
        {
            0 => (sin, cos),
            1 => (cos, -sin),
            2 => (-sin, -cos),
            _ => (-cos, sin),
        };
    }

    private static double PowerOfTwo(int n) => BitConverter.Int64BitsToDouble((long)(n + 1023) << 52);
}
