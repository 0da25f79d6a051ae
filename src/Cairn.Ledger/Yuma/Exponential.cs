namespace Cairn.Ledger;

/// <summary>eˣ in 32.32, by the series that the published runtime uses, with its corners.</summary>
internal static class Exponential
{
    // Terms x²/2! … x³¹/31!: one for each bit after the point.
    private const int LastTerm = 31;

    // e with 23 bits after the point, moved to 32: the runtime answers x = 1 from a table of that width.
    private static readonly Fixed32 Euler = new(0x15BF0A8L << 9);

    /// <summary>The value of the series, or 0 where a step of it leaves the range (x beyond about ±21).</summary>
    /// <param name="x">Any. A negative one is 1 / e⁻ˣ.</param>
    /// <remarks>That 0 stands in for too large a number is the runtime's way; <see cref="LiquidAlpha"/> then finds a full step.</remarks>
    public static Fixed32 Of(Fixed32 x)
    {
        if (x == Fixed32.Zero)
        {
            return Fixed32.One;
        }

        if (x == Fixed32.One)
        {
            return Euler;
        }

        if (x.Bits == long.MinValue)
        {
            return Fixed32.Zero;
        }

        var size = Math.Abs(x.Bits);
        return Series(size) is not { } sum ? Fixed32.Zero : x.Bits < 0 ? Fixed32.One / sum : sum;
    }

    // Each step is cut to 32.32, and none may leave the range.
    private static Fixed32? Series(long x)
    {
        Int128 term = x;
        var sum = term + Fixed32.One.Bits;
        for (var i = 2; i <= LastTerm && sum <= long.MaxValue; i++)
        {
            term = (term * x) >> 32;
            if (term > long.MaxValue)
            {
                return null;
            }

            term /= i;
            sum += term;
        }

        return sum <= long.MaxValue ? new Fixed32((long)sum) : null;
    }
}
