using System.Numerics;
using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>32.32 fixed point against plain big integers.</summary>
public sealed class Fixed32Tests
{
    private static readonly long[] Corners =
    [
        0, 1, -1, 2, 65535, (1L << 32) - 1, 1L << 32, (1L << 32) + 1, -(1L << 32), 1L << 47, 1L << 62, long.MaxValue, long.MaxValue - 1, long.MinValue, long.MinValue + 1,
    ];

    private static IEnumerable<(long Left, long Right)> Pairs()
    {
        var random = new SeededRandom(5, "test/fixed32");
        long Any() => (long)random.NextUInt64() >> (int)random.NextBelow(63);
        return Corners.SelectMany(left => Corners, (left, right) => (left, right)).Concat(Enumerable.Range(0, 20_000).Select(_ => (Any(), Any()))).ToArray();
    }

    private static long Saturated(BigInteger bits) => (long)BigInteger.Min(long.MaxValue, BigInteger.Max(long.MinValue, bits));

    [Fact]
    public void Sums_differences_and_products_saturate_and_products_round_down()
    {
        foreach (var (left, right) in Pairs())
        {
            var (a, b) = (new Fixed32(left), new Fixed32(right));
            Assert.Equal(Saturated((BigInteger)left + right), (a + b).Bits);
            Assert.Equal(Saturated((BigInteger)left - right), (a - b).Bits);

            // A shift of a BigInteger rounds towards minus infinity.
            Assert.Equal(Saturated(((BigInteger)left * right) >> 32), (a * b).Bits);
        }
    }

    [Fact]
    public void Quotients_round_towards_zero_and_are_zero_where_there_is_none()
    {
        foreach (var (left, right) in Pairs())
        {
            var exact = right == 0 ? BigInteger.Zero : BigInteger.Divide((BigInteger)left << 32, right);
            var expected = exact == Saturated(exact) ? (long)exact : 0;
            Assert.Equal(expected, (new Fixed32(left) / new Fixed32(right)).Bits);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 65537)]
    [InlineData(32767, 2147450879)]
    [InlineData(65535, 4294967296)]
    public void A_sixteen_bit_proportion_is_a_quotient_by_65535(int value, long bits) => Assert.Equal(bits, Fixed32.OfU16((ushort)value).Bits);

    [Fact]
    public void Proportions_are_stored_rounded_down_and_held_within_sixteen_bits()
    {
        Assert.Equal(65535, Fixed32.One.ToU16());
        Assert.Equal(65534, new Fixed32(Fixed32.One.Bits - 1).ToU16());
        Assert.Equal(65535, Fixed32.Max.ToU16());
        Assert.Equal(0, new Fixed32(-1).ToU16());
        Assert.Equal(0, new Fixed32(long.MinValue).ToU16());
    }

    [Fact]
    public void A_ratio_in_64_64_cut_to_32_32_is_one_division()
    {
        var random = new SeededRandom(6, "test/fixed32");
        for (var i = 0; i < 2_000; i++)
        {
            var whole = (random.NextUInt64() >> (int)(1 + random.NextBelow(60))) + 1;
            var part = random.NextUInt64() % (whole + 1);
            var in6464 = ((BigInteger)part << 64) / whole;
            Assert.Equal((long)(in6464 >> 32), Fixed32.Ratio(part, whole).Bits);
        }

        Assert.Equal(Fixed32.Max, Fixed32.Ratio(ulong.MaxValue, 1));
        Assert.Equal(Fixed32.Max, Fixed32.Of(long.MaxValue));
        Assert.Equal(long.MinValue, Fixed32.Of(long.MinValue).Bits);
    }
}
