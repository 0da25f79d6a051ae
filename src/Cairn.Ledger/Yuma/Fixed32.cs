namespace Cairn.Ledger;

/// <summary>A signed fixed-point number with 32 bits before and 32 after the point (I32F32). Sums and products saturate, products round
/// towards minus infinity, quotients towards zero; nothing here throws. Tier T1: the same bits everywhere.</summary>
/// <param name="Bits">The number times 2³².</param>
/// <remarks>The number format of subtensor's consensus, as its runtime uses it; docs/consensus.md tells its corners.</remarks>
public readonly record struct Fixed32(long Bits)
{
    private const int FractionBits = 32;
    private const int U16Max = ushort.MaxValue;

    /// <summary>Nothing.</summary>
    public static Fixed32 Zero => default;

    /// <summary>The whole.</summary>
    public static Fixed32 One => new(1L << FractionBits);

    /// <summary>The largest number, just below 2³¹: where sums and products stop.</summary>
    public static Fixed32 Max => new(long.MaxValue);

    /// <summary>The sum, held within the range.</summary>
    public static Fixed32 operator +(Fixed32 left, Fixed32 right) => Saturate((Int128)left.Bits + right.Bits);

    /// <summary>The difference, held within the range.</summary>
    public static Fixed32 operator -(Fixed32 left, Fixed32 right) => Saturate((Int128)left.Bits - right.Bits);

    /// <summary>The product, rounded down to a multiple of 2⁻³² and held within the range.</summary>
    public static Fixed32 operator *(Fixed32 left, Fixed32 right) => Saturate(((Int128)left.Bits * right.Bits) >> FractionBits);

    /// <summary>The quotient, rounded towards zero. 0 where the divisor is 0 or the quotient leaves the range: the "safe division" of the
    /// published runtime does not saturate.</summary>
    public static Fixed32 operator /(Fixed32 left, Fixed32 right)
    {
        if (right.Bits == 0)
        {
            return Zero;
        }

        var quotient = ((Int128)left.Bits << FractionBits) / right.Bits;
        return quotient >= long.MinValue && quotient <= long.MaxValue ? new Fixed32((long)quotient) : Zero;
    }

    /// <summary>Less.</summary>
    public static bool operator <(Fixed32 left, Fixed32 right) => left.Bits < right.Bits;

    /// <summary>More.</summary>
    public static bool operator >(Fixed32 left, Fixed32 right) => left.Bits > right.Bits;

    /// <summary>Not more.</summary>
    public static bool operator <=(Fixed32 left, Fixed32 right) => left.Bits <= right.Bits;

    /// <summary>Not less.</summary>
    public static bool operator >=(Fixed32 left, Fixed32 right) => left.Bits >= right.Bits;

    /// <summary>The smaller of two.</summary>
    public static Fixed32 Smaller(Fixed32 left, Fixed32 right) => left < right ? left : right;

    /// <summary>The larger of two.</summary>
    public static Fixed32 Larger(Fixed32 left, Fixed32 right) => left > right ? left : right;

    /// <summary>A whole number, held within the range.</summary>
    /// <param name="value">Any.</param>
    public static Fixed32 Of(long value) => Saturate((Int128)value << FractionBits);

    /// <summary>A 16-bit number as a part of 65535.</summary>
    /// <param name="value">65535 is the whole.</param>
    public static Fixed32 OfU16(ushort value) => Of(value) / Of(U16Max);

    /// <summary>A ratio, rounded towards zero and held within the range.</summary>
    /// <param name="part">0 or more.</param>
    /// <param name="whole">Positive.</param>
    /// <remarks>The published runtime divides in 64.64 and cuts the result to 32.32. Both round towards zero, so that is one division.</remarks>
    public static Fixed32 Ratio(ulong part, UInt128 whole)
    {
        var ratio = ((UInt128)part << FractionBits) / whole;
        return ratio <= long.MaxValue ? new Fixed32((long)ratio) : Max;
    }

    /// <summary>The number as a part of 65535, rounded down and held within 0…65535: how the chain stores proportions.</summary>
    public ushort ToU16() => (ushort)Math.Clamp((this * Of(U16Max)).Bits >> FractionBits, 0, U16Max);

    /// <summary>The number in decimals, for messages.</summary>
    public override string ToString() => $"{(decimal)Bits / (1L << FractionBits):0.##########}";

    private static Fixed32 Saturate(Int128 bits) =>
        new(bits > long.MaxValue ? long.MaxValue : bits < long.MinValue ? long.MinValue : (long)bits);
}
