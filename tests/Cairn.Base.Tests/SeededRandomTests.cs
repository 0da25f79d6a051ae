using System.Buffers.Binary;

namespace Cairn.Base.Tests;

public sealed class SeededRandomTests
{
    // The golden values are those of an independent program written from docs/wire.md.
    [Fact]
    public void Streams_begin_with_golden_values()
    {
        var init = new SeededRandom(7, "init");
        Assert.Equal([0xa7b8a939fa36f84d, 0x75af015f5f4d6d54, 0x2690f82186261f8c, 0x819df8848e1d5ed1], Take(ref init, 4));
        var probe = new SeededRandom(ulong.MaxValue, "probe", 12, -1);
        Assert.Equal([0x7573f6eee8694ba3, 0x0e09056d91276284], Take(ref probe, 2));
    }

    [Fact]
    public void The_generator_is_xoshiro256_starstar()
    {
        // State 1, 2, 3, 5. The same program gives the published first numbers for the state 1, 2, 3, 4, which a stream cannot have (its last word is odd).
        var state = new byte[32];
        for (var i = 0; i < 4; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(state.AsSpan(8 * i), i == 3 ? 5 : i + 1);
        }

        ulong[] expected = [11520, 0, 1509972480, 1418633882621740800, 1418834503564035840, 607988658549485088, 8729499351150172960, 16020975292396995753];
        var random = new SeededRandom(new Digest(state));
        Assert.Equal(expected, Take(ref random, 8));
    }

    [Fact]
    public void A_digest_of_zeros_still_opens_a_stream()
    {
        var random = new SeededRandom(Digest.Zero);
        Assert.Equal(20, Take(ref random, 40)[20..].Distinct().Count());
    }

    [Fact]
    public void Bounded_numbers_and_doubles_have_golden_values()
    {
        var random = new SeededRandom(7, "below");
        Assert.Equal([8, 5, 3, 6, 7, 0, 1, 0, 6, 4, 6, 7], Enumerable.Range(0, 12).Select(_ => random.NextBelow(10)));

        // Just above half of the range, where half of all draws are drawn again.
        random = new SeededRandom(7, "below");
        Assert.Equal(
            [8233029929298267954, 4651742238778006830, 5603149969189211371, 521450795876571173],
            Enumerable.Range(0, 4).Select(_ => random.NextBelow((1UL << 63) + 1)));

        random = new SeededRandom(7, "double");
        Assert.Equal(0x1e65f2d0ddb3aeL * (1.0 / (1L << 53)), random.NextDouble());
    }

    [Fact]
    public void Normal_numbers_have_golden_bits()
    {
        var random = new SeededRandom(7, "normal");
        Assert.Equal(["c0076bb831893059", "bfd75643fddf6c1a", "3fecbd31e89da184"], Enumerable.Range(0, 3).Select(_ => BitConverter.DoubleToInt64Bits(random.NextNormal()).ToString("x16")));
    }

    [Fact]
    public void Purpose_seed_index_and_count_of_indices_each_give_another_stream()
    {
        SeededRandom[] streams =
        [
            new(1, "a"), new(2, "a"), new(1, "b"), new(1, "a", 0), new(1, "a", 1), new(1, "a", 0, 0), new(1, "a", 0, 1), new(1, "a", 1, 0),
        ];
        Assert.Equal(streams.Length, streams.Select(stream => stream.NextUInt64()).Distinct().Count());
    }

    [Fact]
    public void Bounded_numbers_are_uniform()
    {
        // 16 cells, 160 000 draws: chi-square with 15 degrees of freedom is above 50 once in 90 000 seeds; the seed is fixed.
        var random = new SeededRandom(1, "uniform");
        var counts = new int[16];
        for (var i = 0; i < 160_000; i++)
        {
            counts[random.NextBelow(16)]++;
        }

        Assert.InRange(counts.Sum(count => (count - 10_000.0) * (count - 10_000.0) / 10_000), 1, 50);
    }

    [Fact]
    public void Normal_numbers_have_mean_zero_and_variance_one()
    {
        var random = new SeededRandom(1, "normal");
        double sum = 0, squares = 0, fourth = 0;
        const int Count = 200_000;
        for (var i = 0; i < Count; i++)
        {
            var x = random.NextNormal();
            sum += x;
            squares += x * x;
            fourth += x * x * x * x;
        }

        Assert.InRange(sum / Count, -0.01, 0.01);
        Assert.InRange(squares / Count, 0.98, 1.02);
        Assert.InRange(fourth / Count, 2.9, 3.1);
    }

    [Fact]
    public void A_bound_below_one_is_our_bug()
    {
        var random = new SeededRandom(1, "x");
        Assert.Throws<InvariantViolation>(() => random.NextBelow(0));
        Assert.Throws<InvariantViolation>(() => random.NextBelow(-1));
        Assert.Throws<InvariantViolation>(() => random.NextBelow(0UL));
        Assert.Equal(0, random.NextBelow(1));
    }

    private static ulong[] Take(ref SeededRandom random, int count)
    {
        var values = new ulong[count];
        foreach (ref var value in values.AsSpan())
        {
            value = random.NextUInt64();
        }

        return values;
    }
}
