using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class RoundDeltaTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;
    private static readonly Digest Manifest = Digest.Of("manifest of the test"u8);

    [Theory]
    [InlineData(AggregationRule.Mean)]
    [InlineData(AggregationRule.MeanOfSelectors)]
    [InlineData(AggregationRule.TrimmedMean)]
    public void The_mean_comes_back_bit_by_bit(AggregationRule rule)
    {
        var (bytes, means, _) = Written(new Aggregation(rule, Tolerated: rule == AggregationRule.TrimmedMean ? 1 : 0));
        Assert.InRange(bytes.Length, RoundDelta.HeaderBytes, RoundDelta.BytesMax(Grid, 5));
        using var delta = RoundDelta.TryRead(new MemoryStream(bytes), Grid, TestData.Rules, TestData.Round, Manifest, out var why);
        Assert.Equal(Rejection.None, why);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var mean = new float[Grid[t].Spec.Length];
            delta!.CopyTo(t, mean);
            Assert.Equal(means[t], mean);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(250)]
    [InlineData(501)]
    [InlineData(1000)]
    public void Whatever_part_of_a_mean_is_not_zero_comes_back(int perMille)
    {
        var bytes = new MemoryStream();
        var writer = new RoundDeltaWriter(Grid, bytes, TestData.Rules, TestData.Round, Manifest);
        var random = new SeededRandom(2, "part", perMille);
        var means = Enumerable.Range(0, Grid.TensorCount).Select(t => TestData.Normal(Grid[t].Spec.Length, "part" + t)).ToArray();
        foreach (var mean in means)
        {
            for (var i = 0; i < mean.Length; i++)
            {
                mean[i] = random.NextBelow(1000) < perMille ? mean[i] : 0;
            }

            writer.Write(mean);
        }

        Assert.Equal(bytes.Length, writer.Length);
        using var delta = RoundDelta.TryRead(bytes, Grid, TestData.Rules, TestData.Round, Manifest, out var why);
        Assert.Equal(Rejection.None, why);
        for (var t = 0; t < means.Length; t++)
        {
            var read = new float[means[t].Length];
            delta!.CopyTo(t, read);
            Assert.Equal(means[t], read);
        }
    }

    [Fact]
    public void Writing_allocates_nothing_and_never_more_than_was_announced()
    {
        var (bytes, means, _) = Written(new Aggregation(AggregationRule.Mean));
        var target = new MemoryStream(new byte[RoundDelta.BytesMax(Grid, 5)]);
        var writer = new RoundDeltaWriter(Grid, target, TestData.Rules, TestData.Round, Manifest);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var mean in means)
        {
            writer.Write(mean);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(bytes, target.ToArray()[..(int)writer.Length]);
    }

    [Fact]
    public void The_delta_of_known_updates_never_changes() => Assert.Equal(
        "236b01929fd38ae655ed6f5d6e93fbf781835c22f2f2c91f547bfed32b37cd19",
        Digest.Of(Written(new Aggregation(AggregationRule.Mean)).Bytes).ToString());

    [Theory]
    [InlineData(AggregationRule.MeanOfSelectors)]
    [InlineData(AggregationRule.TrimmedMean)]
    public void A_mean_that_underflows_is_plus_zero_so_that_base_and_delta_agree(AggregationRule rule)
    {
        var grid = new ChunkGrid([new TensorSpec("v", 1, 4, 0)], 2048);
        Contribution[] round =
        [
            new(TestData.Handmade(grid, 1, (0, -float.Epsilon), (1, 1)), 1),
            new(TestData.Handmade(grid, 2, (0, 0), (1, 1)), 1),
        ];
        using var aggregator = new Aggregator(grid, new Aggregation(rule));
        aggregator.Aggregate(round, (_, mean, _) => Assert.Equal([0, BitConverter.SingleToInt32Bits(1), 0, 0], mean.ToArray().Select(BitConverter.SingleToInt32Bits)));
    }

    [Fact]
    public void A_delta_of_another_round_run_manifest_or_model_is_refused_by_name()
    {
        var (bytes, _, _) = Written(new Aggregation(AggregationRule.Mean));
        Rejection Why(ChunkGrid grid, Digest rules, int round, Digest manifest)
        {
            Assert.Null(RoundDelta.TryRead(new MemoryStream(bytes), grid, rules, new Round(round), manifest, out var why));
            return why;
        }

        var other = new ChunkGrid([.. Enumerable.Range(0, 6).Select(i => Grid[i].Spec with { Name = "x" + i })]);
        Assert.Equal(Rejection.WrongRules, Why(Grid, Digest.Zero, 3, Manifest));
        Assert.Equal(Rejection.Late, Why(Grid, TestData.Rules, 4, Manifest));
        Assert.Equal(Rejection.NotAsCommitted, Why(Grid, TestData.Rules, 3, Digest.Zero));
        Assert.Equal(Rejection.WrongShape, Why(other, TestData.Rules, 3, Manifest));
    }

    [Fact]
    public void Changed_bytes_are_refused_or_mean_exactly_themselves()
    {
        var (bytes, _, ends) = Written(new Aggregation(AggregationRule.Mean));
        var random = new SeededRandom(9, "delta");
        var accepted = 0;
        for (var trial = 0; trial < 5_000; trial++)
        {
            var changed = random.NextBelow(8) == 0 ? bytes[..(int)random.NextBelow(bytes.Length)] : (byte[])bytes.Clone();
            if (changed.Length > 0)
            {
                changed[random.NextBelow(changed.Length)] ^= (byte)(1 << (int)random.NextBelow(8));
            }

            // Of most the checksums are made right again.
            if (trial % 10 != 0 && changed.Length == bytes.Length)
            {
                Resum(changed, ends);
            }

            if (RoundDelta.TryRead(new MemoryStream(changed), Grid, TestData.Rules, TestData.Round, Manifest, out var why) is { } read)
            {
                var again = new MemoryStream();
                var writer = new RoundDeltaWriter(Grid, again, TestData.Rules, TestData.Round, Manifest);
                for (var t = 0; t < Grid.TensorCount; t++)
                {
                    var mean = new float[Grid[t].Spec.Length];
                    read.CopyTo(t, mean);
                    writer.Write(mean);
                }

                accepted++;
                Assert.Equal(changed, again.ToArray());
            }
            else
            {
                Assert.NotEqual(Rejection.None, why);
            }
        }

        Assert.InRange(accepted, 100, 5_000);
    }

    private static void Resum(byte[] bytes, List<int> ends)
    {
        for (var i = 0; i < ends.Count; i++)
        {
            var section = bytes.AsSpan((i == 0 ? 0 : ends[i - 1])..ends[i]);
            BitConverter.TryWriteBytes(section[^4..], Crc32C.Of(section[..^4]));
        }
    }

    private static (byte[] Bytes, float[][] Means, List<int> Ends) Written(Aggregation aggregation)
    {
        var all = Enumerable.Range(0, 5).Select(i => new Contribution(TestData.Update(Grid, "delta" + i, i), 1 + i)).ToArray();
        using var aggregator = new Aggregator(Grid, aggregation);
        var bytes = new MemoryStream();
        var writer = new RoundDeltaWriter(Grid, bytes, TestData.Rules, TestData.Round, Manifest);
        var (means, ends) = (new float[Grid.TensorCount][], new List<int> { RoundDelta.HeaderBytes });
        aggregator.Aggregate(all, (t, mean, _) =>
        {
            Assert.False(writer.IsWhole);
            writer.Write(mean);
            means[t] = mean.ToArray();
            ends.Add((int)writer.Length);
        });
        Assert.True(writer.IsWhole);
        return (bytes.ToArray(), means, ends);
    }
}
