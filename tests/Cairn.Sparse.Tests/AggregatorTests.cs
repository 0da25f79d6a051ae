using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class AggregatorTests
{
    private static readonly ChunkGrid Four = new([new TensorSpec("v", 1, 4, 0)], 2);

    private static IReadOnlyList<Contribution> Worked =>
    [
        new(TestData.Handmade(Four, 1, (0, 3), (1, 4)), 1),
        new(TestData.Handmade(Four, 2, (1, 0.6f), (2, 0.8f)), 1),
        new(TestData.Handmade(Four, 4, (1, 1.2f), (3, -1.6f)), 1),
    ];

    [Theory]
    [InlineData(AggregationRule.MeanOfSelectors, 1.2, 1.13333, 0.8, -1.6)]
    [InlineData(AggregationRule.Mean, 0.4, 1.13333, 0.26667, -0.53333)]
    public void The_worked_example_of_three_peers_comes_out(AggregationRule rule, params double[] expected)
    {
        using var aggregator = new Aggregator(Four, rule, clip: true);
        var mean = new float[4];
        var factors = aggregator.Aggregate(Worked, (_, m) => m.CopyTo(mean));
        Assert.Equal([0.4f, 1f, 1f], [factors.Of(0)[0], factors.Of(1)[0], factors.Of(2)[0]]);
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(expected[i], mean[i], 5));
    }

    [Fact]
    public void Without_clipping_every_factor_is_one()
    {
        using var aggregator = new Aggregator(Four, AggregationRule.Mean, clip: false);
        var mean = new float[4];
        var factors = aggregator.Aggregate(Worked, (_, m) => m.CopyTo(mean));
        Assert.All(Enumerable.Range(0, 3), i => Assert.Equal(1f, factors.Of(i)[0]));
        Assert.Equal(1.0, mean[0], 6);
        Assert.Equal(5.8 / 3, mean[1], 6);
    }

    [Fact]
    public void A_mean_weighs_by_accepted_samples()
    {
        using var aggregator = new Aggregator(Four, AggregationRule.Mean, clip: false);
        var mean = new float[4];
        aggregator.Aggregate([Worked[0] with { Samples = 300 }, Worked[1] with { Samples = 100 }], (_, m) => m.CopyTo(mean));
        Assert.Equal([0.75f * 3, (0.75f * 4) + (0.25f * 0.6f), 0.25f * 0.8f, 0], mean);
    }

    [Theory]
    [InlineData(AggregationRule.Mean)]
    [InlineData(AggregationRule.MeanOfSelectors)]
    public void A_round_of_one_is_applied_exactly_as_sent(AggregationRule rule)
    {
        var update = TestData.Update(TestData.Mixed, "one");
        using var aggregator = new Aggregator(TestData.Mixed, rule, clip: true);
        var factors = aggregator.Aggregate([new Contribution(update, 12_345)], (t, m) => Assert.Equal(TestData.Dense(update, t), m));
        Assert.All(factors.Of(0).ToArray(), f => Assert.Equal(1f, f));
    }

    [Theory]
    [InlineData(AggregationRule.Mean)]
    [InlineData(AggregationRule.MeanOfSelectors)]
    public void The_sum_runs_in_uid_order_in_fp32_over_every_kind_of_tensor(AggregationRule rule)
    {
        var grid = TestData.Mixed;
        var all = Enumerable.Range(0, 5).Select(i => new Contribution(TestData.Update(grid, "peer" + i, i), 100 + i)).ToArray();
        using var aggregator = new Aggregator(grid, rule, clip: true);
        var factors = new float[5];
        var returned = aggregator.Aggregate(all, (t, mean) =>
        {
            aggregator.FactorsOf(all, t, factors);
            var expected = new float[mean.Length];
            var counts = new int[mean.Length];
            for (var p = 0; p < 5; p++)
            {
                var share = rule == AggregationRule.Mean ? (float)((100 + p) / 510.0) : 1;
                var dense = TestData.Dense(all[p].Update, t);
                for (var i = 0; i < dense.Length; i++)
                {
                    expected[i] += share * (factors[p] * dense[i]);
                    counts[i] += dense[i] != 0 ? 1 : 0;
                }
            }

            for (var i = 0; i < expected.Length; i++)
            {
                var one = rule == AggregationRule.Mean || counts[i] == 0 ? expected[i] : expected[i] / counts[i];
                Assert.Equal(one, mean[i]);
            }
        });
        aggregator.FactorsOf(all, 3, factors);
        Assert.All(Enumerable.Range(0, 5), p => Assert.Equal(factors[p], returned.Of(p)[3]));
    }

    [Fact]
    public void The_mean_of_known_updates_never_changes()
    {
        var all = Enumerable.Range(0, 4).Select(i => new Contribution(TestData.Update(TestData.Mixed, "bits" + i, i), 7 + i)).ToArray();
        using var hasher = new Hasher("test");
        using var aggregator = new Aggregator(TestData.Mixed, AggregationRule.Mean, clip: true);
        aggregator.Aggregate(all, (_, mean) => hasher.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mean)));
        Assert.Equal("ceb1bbdd8829bff20c26abb06dd8b469a7fcdeabac0cf3e1e9d4f96631368bed", hasher.Finish().ToString());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var grid = new ChunkGrid([new TensorSpec("a", 640, 320, 0), new TensorSpec("b", 1, 100_000, 204_800)]);
        string Digests(Cairn.Compute.WorkPool? pool)
        {
            var encoder = new SparseEncoder(grid, pool: pool);
            using var hasher = new Hasher("test");
            var all = new Contribution[3];
            for (var i = 0; i < all.Length; i++)
            {
                var delta = TestData.Normal(grid.FlatLength, "threads" + i);
                Assert.True(encoder.TryEncode(TestData.Rules, TestData.Round, new Uid(i), new float[delta.Length], delta, delta, out var update, out _));
                hasher.Append(SparseUpdateCodec.Encode(update!));
                all[i] = new Contribution(update!, 5 + i);
            }

            foreach (var rule in Enum.GetValues<AggregationRule>())
            {
                using var aggregator = new Aggregator(grid, rule, clip: true, pool);
                aggregator.Aggregate(all, (_, mean) => hasher.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mean)));
            }

            return hasher.Finish().ToString();
        }

        var alone = Digests(null);
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var pool = new Cairn.Compute.WorkPool(threads);
            Assert.Equal(alone, Digests(pool));
        }
    }

    [Fact]
    public void A_norm_bomb_is_scaled_to_the_median_and_small_updates_stay()
    {
        var factors = new float[4];
        MedianNormClip.Factors([1, 2, 5, 9], factors);
        Assert.Equal([1, 1, 0.4f, 2f / 9], factors);
        MedianNormClip.Factors([0, 0, 0, 1e30], factors);
        Assert.Equal([1, 1, 1, 0], factors);
        MedianNormClip.Factors([3, 0, 3, 3], factors);
        Assert.Equal(1, factors[1]);
    }

    [Theory]
    [InlineData(2.0, 1.0, 2.0, 5.0, 9.0)]
    [InlineData(5.0, 9.0, 1.0, 5.0)]
    [InlineData(4.0, 4.0)]
    public void The_median_of_an_even_count_is_the_lower_middle(double expected, params double[] norms) =>
        Assert.Equal(expected, MedianNormClip.LowerMedian(norms));

    [Fact]
    public void The_norm_from_the_counts_is_the_norm_of_the_values()
    {
        var update = TestData.Update(TestData.Mixed, "norm");
        for (var t = 0; t < 4; t++)
        {
            var dense = TestData.Dense(update, t);
            Assert.Equal(1.0, Math.Sqrt(dense.Sum(x => x * (double)x)) / update[t].Norm, 12);
        }
    }

    [Fact]
    public void Updates_out_of_order_are_our_own_bug()
    {
        using var aggregator = new Aggregator(Four, AggregationRule.Mean, clip: false);
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[1], Worked[0]], (_, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[1], Worked[1]], (_, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([], (_, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[0] with { Samples = 0 }], (_, _) => { }));
    }
}
