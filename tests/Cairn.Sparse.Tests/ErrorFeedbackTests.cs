using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class ErrorFeedbackTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;

    [Fact]
    public void The_buffer_decays_once_and_the_delta_is_added_once()
    {
        var (error, delta) = (TestData.Normal(Grid.FlatLength, "e"), TestData.Normal(Grid.FlatLength, "d"));
        var accumulated = new float[error.Length];
        Assert.True(new SparseEncoder(Grid, QuantizerKind.SignMagnitude, 0.95f).TryEncode(TestData.Rules, TestData.Round, TestData.Uid, error, delta, accumulated, out _, out _));
        ForEachElement(i => Assert.Equal(MathF.FusedMultiplyAdd(0.95f, error[i], delta[i]), accumulated[i]));
    }

    [Fact]
    public void Unsent_entries_keep_their_bits_and_sent_ones_lose_what_was_sent()
    {
        var a = TestData.Normal(Grid.FlatLength, "d", 1e-3f);
        var before = (float[])a.Clone();
        Assert.True(new SparseEncoder(Grid, QuantizerKind.SignMagnitude).TryEncode(TestData.Rules, TestData.Round, TestData.Uid, new float[a.Length], a, a, out var update, out _));
        Settle(update!, _ => 1, a);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var sent = TestData.Dense(update!, t);
            for (var i = 0; i < sent.Length; i++)
            {
                var at = Grid[t].Spec.Offset + i;
                Assert.Equal(before[at] - sent[i], a[at]);
                Assert.True(sent[i] != 0 || BitConverter.SingleToInt32Bits(a[at]) == BitConverter.SingleToInt32Bits(before[at]));
            }

            Assert.Equal(Grid[t].ValueCount, sent.Count(x => x != 0));
        }
    }

    [Fact]
    public void What_is_sent_are_the_largest_entries_of_each_chunk()
    {
        var update = TestData.Update(Grid, "largest");
        var delta = TestData.Normal(Grid.FlatLength, "largest", 1e-3f);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var tensor = Grid.Slice(delta, t).ToArray();
            for (var chunk = 0; chunk < Grid[t].ChunkCount; chunk++)
            {
                var own = Enumerable.Range(0, Grid[t].LengthOf(chunk)).Select(i => tensor[Grid[t].OriginOf(chunk) + Grid[t].ShapeOf(chunk).Offsets[i]]).ToArray();
                var expected = Enumerable.Range(0, own.Length).OrderByDescending(i => Math.Abs(own[i])).Take(Grid[t].KeepOf(chunk)).Order();
                Assert.Equal(expected, update[t].IndicesOf(chunk).ToArray().Select(i => (int)i));
            }
        }
    }

    [Fact]
    public void Only_what_was_truly_applied_is_subtracted()
    {
        var a = TestData.Normal(Grid.FlatLength, "clip", 1e-3f);
        var before = (float[])a.Clone();
        Assert.True(new SparseEncoder(Grid, QuantizerKind.SignMagnitude).TryEncode(TestData.Rules, TestData.Round, TestData.Uid, new float[a.Length], a, a, out var update, out _));
        Settle(update!, t => t == 0 ? 0.25f : t == 2 ? 0 : 1, a);
        var sent = TestData.Dense(update!, 0);
        Assert.All(Enumerable.Range(0, sent.Length), i => Assert.Equal(before[i] - (0.25f * sent[i]), a[i]));
        Assert.Equal(Grid.Slice(before, 2).ToArray(), Grid.Slice(a, 2).ToArray());
    }

    [Fact]
    public void Accumulating_over_either_input_gives_the_same_update()
    {
        byte[] Encoded(Func<float[], float[], float[]> target)
        {
            var (error, delta) = (TestData.Normal(Grid.FlatLength, "e"), TestData.Normal(Grid.FlatLength, "d"));
            var encoder = new SparseEncoder(Grid, QuantizerKind.SignMagnitude);
            Assert.True(encoder.TryEncode(TestData.Rules, TestData.Round, TestData.Uid, error, delta, target(error, delta), out var update, out _));
            return new SparseUpdateCodec(Grid, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Small)).Encode(update!);
        }

        var apart = Encoded((_, _) => new float[Grid.FlatLength]);
        Assert.Equal(apart, Encoded((error, _) => error));
        Assert.Equal(apart, Encoded((_, delta) => delta));
    }

    [Fact]
    public void A_diverged_peer_is_told_and_its_error_buffer_can_stay_whole()
    {
        var error = TestData.Normal(Grid.FlatLength, "e");
        var before = (float[])error.Clone();
        foreach (var bad in new[] { float.NaN, float.PositiveInfinity, 1e30f })
        {
            var delta = TestData.Normal(Grid.FlatLength, "d");
            delta[20_000] = bad;
            Assert.False(new SparseEncoder(Grid, QuantizerKind.SignMagnitude).TryEncode(TestData.Rules, TestData.Round, TestData.Uid, error, delta, delta, out var update, out var why));
            Assert.Null(update);
            Assert.Equal(Rejection.NotFinite, why);
            Assert.Equal(before, error);
        }
    }

    [Fact]
    public void Everything_is_sent_in_the_end()
    {
        // With no decay and no new delta, repeated rounds empty the buffer.
        var error = TestData.Normal(Grid.FlatLength, "drain", 1e-3f);
        var zero = new float[error.Length];
        double Norm()
        {
            var sum = 0.0;
            ForEachElement(i => sum += error[i] * (double)error[i]);
            return Math.Sqrt(sum);
        }

        var start = Norm();
        var encoder = new SparseEncoder(Grid, QuantizerKind.SignMagnitude, 1);
        for (var round = 0; round < 100; round++)
        {
            Assert.True(encoder.TryEncode(TestData.Rules, new Round(round), TestData.Uid, error, zero, error, out var update, out _));
            Settle(update!, _ => 1, error);
        }

        Assert.InRange(Norm(), 0, 0.2 * start);
    }

    [Fact]
    public void What_a_round_leaves_out_stays_with_its_sender_whole()
    {
        var a = TestData.Normal(Grid.FlatLength, "left", 1e-3f);
        var before = (float[])a.Clone();
        var updates = new[] { TestData.Encoded(Grid, a, 1), TestData.Update(Grid, "other", 2) };
        using var aggregator = new Aggregator(Grid, new Aggregation(AggregationRule.Support, Tolerated: 1));
        var kept = 0;
        aggregator.Aggregate([.. updates.Select(u => new Contribution(u, 1))], (t, mean, factors) =>
        {
            var sent = TestData.Dense(updates[0], t);
            aggregator.Settle(updates[0][t], factors[0], mean, Grid.Slice(a.AsSpan(), t));
            for (var i = 0; i < sent.Length; i++)
            {
                var at = Grid[t].Spec.Offset + i;
                Assert.Equal(mean[i] == 0 ? before[at] : before[at] - sent[i], a[at]);
                kept += sent[i] != 0 && mean[i] == 0 ? 1 : 0;
            }
        });
        Assert.InRange(kept, Grid.ValueCount / 2, Grid.ValueCount - 1);
    }

    private static void Settle(SparseUpdate update, Func<int, float> factorOf, float[] accumulated)
    {
        using var aggregator = new Aggregator(Grid, new Aggregation(AggregationRule.Mean));
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            aggregator.Settle(update[t], factorOf(t), new float[Grid[t].Spec.Length], Grid.Slice(accumulated.AsSpan(), t));
        }
    }

    private static void ForEachElement(Action<int> act)
    {
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            for (var i = 0; i < Grid[t].Spec.Length; i++)
            {
                act((int)Grid[t].Spec.Offset + i);
            }
        }
    }
}
