using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class AggregatorTests
{
    private static readonly ChunkGrid Four = new([new TensorSpec("v", 1, 4, 0)], 2048);

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
        using var aggregator = new Aggregator(Four, new Aggregation(rule, Clip: true));
        var mean = new float[4];
        aggregator.Aggregate(Worked, (_, m, factors) =>
        {
            m.CopyTo(mean);
            Assert.Equal([0.4f, 1f, 1f], factors.ToArray());
        });
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal(expected[i], mean[i], 5));
    }

    [Fact]
    public void Without_clipping_every_factor_is_one()
    {
        using var aggregator = new Aggregator(Four, new Aggregation(AggregationRule.Mean));
        var mean = new float[4];
        aggregator.Aggregate(Worked, (_, m, factors) =>
        {
            m.CopyTo(mean);
            Assert.Equal([1f, 1f, 1f], factors.ToArray());
        });
        Assert.Equal(1.0, mean[0], 6);
        Assert.Equal(5.8 / 3, mean[1], 6);
    }

    [Fact]
    public void A_mean_weighs_by_accepted_samples()
    {
        using var aggregator = new Aggregator(Four, new Aggregation(AggregationRule.Mean));
        var mean = new float[4];
        aggregator.Aggregate([Worked[0] with { Samples = 300 }, Worked[1] with { Samples = 100 }], (_, m, _) => m.CopyTo(mean));
        Assert.Equal([0.75f * 3, (0.75f * 4) + (0.25f * 0.6f), 0.25f * 0.8f, 0], mean);
    }

    [Theory]
    [InlineData(AggregationRule.Mean)]
    [InlineData(AggregationRule.MeanOfSelectors)]
    public void A_round_of_one_is_applied_exactly_as_sent(AggregationRule rule)
    {
        var update = TestData.Update(TestData.Mixed, "one");
        using var aggregator = new Aggregator(TestData.Mixed, new Aggregation(rule, Clip: true));
        aggregator.Aggregate([new Contribution(update, 12_345)], (t, m, factors) =>
        {
            Assert.Equal(TestData.Dense(update, t), m);
            Assert.Equal([1f], factors.ToArray());
        });
    }

    [Theory]
    [InlineData(AggregationRule.Mean)]
    [InlineData(AggregationRule.MeanOfSelectors)]
    public void The_sum_runs_in_uid_order_in_fp32_over_every_kind_of_tensor(AggregationRule rule)
    {
        var grid = TestData.Mixed;
        var all = Enumerable.Range(0, 5).Select(i => new Contribution(TestData.Update(grid, "peer" + i, i), 100 + i)).ToArray();
        using var aggregator = new Aggregator(grid, new Aggregation(rule, Clip: true));
        var computed = new float[5];
        aggregator.Aggregate(all, (t, mean, factors) =>
        {
            MedianNormClip.Factors([.. all.Select(one => one.Update[t].Norm)], computed);
            Assert.Equal(computed, factors.ToArray());
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
    }

    [Fact]
    public void The_mean_of_known_updates_never_changes()
    {
        var all = Enumerable.Range(0, 4).Select(i => new Contribution(TestData.Update(TestData.Mixed, "bits" + i, i), 7 + i)).ToArray();
        using var hasher = new Hasher("test");
        using var aggregator = new Aggregator(TestData.Mixed, new Aggregation(AggregationRule.Mean, Clip: true));
        aggregator.Aggregate(all, (_, mean, _) => hasher.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mean)));
        Assert.Equal("58db3b560bda38bc1924b7e55b08f14c41a23dff83f50f53de5b802a139b3fb3", hasher.Finish().ToString());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        var grid = new ChunkGrid([new TensorSpec("a", 640, 320, 0), new TensorSpec("b", 1, 100_000, 204_800)]);
        var codec = new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Small));
        string Digests(Cairn.Compute.WorkPool? pool)
        {
            var encoder = new SparseEncoder(grid, QuantizerKind.SignMagnitude, pool: pool);
            using var hasher = new Hasher("test");
            var all = new Contribution[3];
            for (var i = 0; i < all.Length; i++)
            {
                var delta = TestData.Normal(grid.FlatLength, "threads" + i);
                Assert.True(encoder.TryEncode(TestData.Rules, TestData.Round, new Uid(i), new float[delta.Length], delta, delta, out var update, out _));
                hasher.Append(codec.Encode(update!));
                all[i] = new Contribution(update!, 5 + i);
            }

            foreach (var rule in Enum.GetValues<AggregationRule>())
            {
                using var aggregator = new Aggregator(grid, new Aggregation(rule, Clip: true, Tolerated: 1), pool);
                aggregator.Aggregate(all, (_, mean, _) => hasher.Append(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mean)));
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
    public void Liars_who_agree_among_themselves_move_nothing_that_more_must_support()
    {
        // Three honest peers send places 0 and 1; two liars send place 3, hugely.
        IReadOnlyList<Contribution> round =
        [
            new(TestData.Handmade(Four, 1, (0, 1), (1, 2)), 1),
            new(TestData.Handmade(Four, 2, (0, 1), (1, 2)), 1),
            new(TestData.Handmade(Four, 3, (0, 1), (1, 2)), 1),
            new(TestData.Handmade(Four, 4, (1, -900), (3, 1000)), 1),
            new(TestData.Handmade(Four, 5, (1, -900), (3, 1000)), 1),
        ];
        AssertNear([0.6f, -358.8f, 0, 0], MeanOf(round, new Aggregation(AggregationRule.Support, Tolerated: 2)));
        Assert.Equal(0, MeanOf(round, new Aggregation(AggregationRule.Support, Tolerated: 4))[0]);
        // Of place 0 stay 0 0 1 1 1 less two at each end: 1. Of place 1 stay −900 −900 2 2 2: 2. Of place 3: 0 0 0 1000 1000: 0.
        Assert.Equal([1f, 2f, 0f, 0f], MeanOf(round, new Aggregation(AggregationRule.TrimmedMean, Tolerated: 2)));
        // The median size of what a peer sends is 1.5, and no value counts for more: at place 1 three such against two, at place 3 two of five.
        AssertNear([0.6f, 0.3f, 0f, 0.6f], MeanOf(round, new Aggregation(AggregationRule.SignVote)));
    }

    [Fact]
    public void A_trimmed_mean_of_few_trims_as_many_as_leave_one()
    {
        IReadOnlyList<Contribution> round = [.. Worked.Take(2)];
        AssertNear([1.5f, 2.3f, 0.4f, 0f], MeanOf(round, new Aggregation(AggregationRule.TrimmedMean, Tolerated: 3)));
        AssertNear([0f, 1.2f, 0f, 0f], MeanOf(Worked, new Aggregation(AggregationRule.TrimmedMean, Tolerated: 3)));
    }

    private static void AssertNear(float[] expected, float[] actual) =>
        Assert.All(Enumerable.Range(0, expected.Length), i => Assert.Equal(expected[i], actual[i], 4));

    private static float[] MeanOf(IReadOnlyList<Contribution> round, Aggregation aggregation)
    {
        using var aggregator = new Aggregator(round[0].Update.Grid, aggregation);
        float[] result = [];
        aggregator.Aggregate(round, (_, mean, _) => result = mean.ToArray());
        return result;
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
        for (var t = 0; t < 6; t++)
        {
            var dense = TestData.Dense(update, t);
            Assert.Equal(1.0, Math.Sqrt(dense.Sum(x => x * (double)x)) / update[t].Norm, 12);
        }
    }

    [Fact]
    public void Updates_out_of_order_are_our_own_bug()
    {
        using var aggregator = new Aggregator(Four, new Aggregation(AggregationRule.Mean));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[1], Worked[0]], (_, _, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[1], Worked[1]], (_, _, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([], (_, _, _) => { }));
        Assert.Throws<InvariantViolation>(() => aggregator.Aggregate([Worked[0] with { Samples = 0 }], (_, _, _) => { }));
    }
}
