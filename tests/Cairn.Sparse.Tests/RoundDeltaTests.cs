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
        var delta = RoundDelta.TryRead(bytes, Grid, TestData.Rules, TestData.Round, Manifest, out var why);
        Assert.Equal(Rejection.None, why);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var mean = new float[Grid[t].Spec.Length];
            delta!.CopyTo(t, mean);
            Assert.Equal(means[t], mean);
        }
    }

    [Fact]
    public void A_delta_of_another_round_run_manifest_or_model_is_refused_by_name()
    {
        var (bytes, _, _) = Written(new Aggregation(AggregationRule.Mean));
        Rejection Why(ChunkGrid grid, Digest rules, int round, Digest manifest)
        {
            Assert.Null(RoundDelta.TryRead(bytes, grid, rules, new Round(round), manifest, out var why));
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

            if (RoundDelta.TryRead(changed, Grid, TestData.Rules, TestData.Round, Manifest, out var why) is { } read)
            {
                using var again = new MemoryStream();
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
            BitConverter.TryWriteBytes(section[^4..], SectionCodec.Checksum(section[..^4]));
        }
    }

    private static (byte[] Bytes, float[][] Means, List<int> Ends) Written(Aggregation aggregation)
    {
        var all = Enumerable.Range(0, 5).Select(i => new Contribution(TestData.Update(Grid, "delta" + i, i), 1 + i)).ToArray();
        using var aggregator = new Aggregator(Grid, aggregation);
        using var stream = new MemoryStream();
        var writer = new RoundDeltaWriter(Grid, stream, TestData.Rules, TestData.Round, Manifest);
        var (means, ends) = (new float[Grid.TensorCount][], new List<int> { RoundDelta.HeaderBytes });
        aggregator.Aggregate(all, (t, mean, _) =>
        {
            writer.Write(mean);
            means[t] = mean.ToArray();
            ends.Add((int)stream.Length);
        });
        return (stream.ToArray(), means, ends);
    }
}
