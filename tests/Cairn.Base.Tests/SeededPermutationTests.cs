namespace Cairn.Base.Tests;

public sealed class SeededPermutationTests
{
    [Fact]
    public void Orders_have_golden_values()
    {
        // From an independent program written from docs/wire.md.
        Assert.Equal([1, 8, 7, 9, 6, 4, 2, 5, 0, 3], All(new SeededPermutation(10, 7, "epoch", 0)));
        Assert.Equal([5, 3, 0, 6, 7, 1, 2, 4, 8, 9], All(new SeededPermutation(10, 7, "epoch", 1)));
        var large = new SeededPermutation(1_000_000_000_000, 7, "epoch", 3);
        Assert.Equal([213481924966, 263334079054, 61992590749], [large.At(0), large.At(1), large.At(999_999_999_999)]);
    }

    [Fact]
    public void Every_number_comes_exactly_once()
    {
        foreach (var count in Enumerable.Range(1, 200).Concat([1 << 16, (1 << 16) + 1, 100_003]))
        {
            var seen = new bool[count];
            foreach (var value in All(new SeededPermutation(count, 42, "epoch", count)))
            {
                Assert.False(seen[value]);
                seen[value] = true;
            }
        }
    }

    [Fact]
    public void Seed_purpose_index_and_count_each_give_another_order()
    {
        var orders = new[]
        {
            new SeededPermutation(1000, 1, "a", 0), new SeededPermutation(1000, 2, "a", 0), new SeededPermutation(1000, 1, "b", 0),
            new SeededPermutation(1000, 1, "a", 1), new SeededPermutation(1001, 1, "a", 0),
        };
        Assert.Equal(orders.Length, orders.Select(order => string.Join(' ', Enumerable.Range(0, 20).Select(place => order.At(place)))).Distinct().Count());
    }

    [Fact]
    public void A_number_lands_anywhere()
    {
        // Over 3200 orders of 32 numbers, each (place, number) is expected 100 times: 31² degrees of freedom, five standard deviations.
        var counts = new int[32, 32];
        for (var index = 0; index < 3200; index++)
        {
            var order = new SeededPermutation(32, 5, "spread", index);
            for (var place = 0; place < 32; place++)
            {
                counts[place, order.At(place)]++;
            }
        }

        var chiSquare = counts.Cast<int>().Sum(count => (count - 100.0) * (count - 100.0) / 100);
        Assert.InRange(chiSquare, 961 - (5 * 44), 961 + (5 * 44));
    }

    [Fact]
    public void The_largest_count_works_and_what_lies_outside_is_our_bug()
    {
        var order = new SeededPermutation((1L << 62) - 1, 1, "x", 0);
        Assert.InRange(order.At((1L << 62) - 2), 0, (1L << 62) - 2);
        Assert.Throws<InvariantViolation>(() => new SeededPermutation(0, 1, "x", 0));
        Assert.Throws<InvariantViolation>(() => new SeededPermutation(1L << 62, 1, "x", 0));
        Assert.Throws<InvariantViolation>(() => order.At(-1));
        Assert.Throws<InvariantViolation>(() => order.At((1L << 62) - 1));
    }

    private static long[] All(SeededPermutation order) => [.. Enumerable.Range(0, (int)order.Count).Select(place => order.At(place))];
}
