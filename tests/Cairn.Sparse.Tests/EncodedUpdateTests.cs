using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class EncodedUpdateTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;

    public static TheoryData<QuantizerKind, WireMode> Formats()
    {
        var formats = new TheoryData<QuantizerKind, WireMode>();
        foreach (var quantizer in Enum.GetValues<QuantizerKind>())
        {
            formats.Add(quantizer, WireMode.Fast);
            formats.Add(quantizer, WireMode.Small);
        }

        return formats;
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void An_update_in_its_bytes_says_tensor_by_tensor_what_it_says_decoded_whole(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        var whole = TestData.Update(Grid, "bytes", quantizer: quantizer);
        using var update = Open(codec, codec.Encode(whole), out var why);
        Assert.Equal((Rejection.None, whole.Round, whole.Uid), (why, update!.Round, update.Uid));
        Assert.True(whole.SaysTheSameAs(update));
        // In any order, and again.
        for (var tensor = Grid.TensorCount - 1; tensor >= 0; tensor--)
        {
            Assert.Equal(whole[tensor].Norm, update[tensor].Norm);
            Assert.Equal(whole[tensor].Indices.ToArray(), update[tensor].Indices.ToArray());
        }
    }

    [Theory]
    [InlineData(WireMode.Fast)]
    [InlineData(WireMode.Small)]
    public void What_is_refused_is_refused_for_the_same_reason_as_by_the_decoder_of_whole_updates(WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, UpdateFormat.Default with { Mode = mode });
        var bytes = codec.Encode(TestData.Update(Grid, "judged", quantizer: codec.Format.Quantizer));
        var random = new SeededRandom(4, "judged", (long)mode);
        for (var trial = 0; trial < 2_000; trial++)
        {
            var changed = random.NextBelow(6) == 0 ? bytes[..(int)random.NextBelow(bytes.Length)]
                : random.NextBelow(6) == 0 ? [.. bytes, 0] : (byte[])bytes.Clone();
            if (changed.Length > 0)
            {
                changed[random.NextBelow(changed.Length)] ^= (byte)(1 << (int)random.NextBelow(8));
            }

            codec.TryDecode(changed, TestData.Rules, TestData.Round, TestData.Uid, out _, out var expected);
            using var update = Open(codec, changed, out var why);
            Assert.Equal((expected, expected == Rejection.None), (why, update is not null));
        }
    }

    [Fact]
    public void Updates_in_their_bytes_have_the_mean_and_the_overlaps_of_decoded_ones()
    {
        var codec = new SparseUpdateCodec(Grid, UpdateFormat.Default);
        var whole = Enumerable.Range(0, 4).Select(i => TestData.Update(Grid, "mean" + i, i, codec.Format.Quantizer)).ToArray();
        var kept = whole.Select(one => Open(codec, codec.Encode(one), out _, one.Uid)!).ToArray();
        using var aggregator = new Aggregator(Grid, new Aggregation(AggregationRule.Mean, Clip: true));
        var means = new float[Grid.TensorCount][];
        aggregator.Aggregate([.. whole.Select(one => new Contribution(one, 3))], (tensor, mean, _) => means[tensor] = mean.ToArray());
        aggregator.Rest();
        aggregator.Aggregate([.. kept.Select(one => new Contribution(one, 3))], (tensor, mean, _) => Assert.Equal(means[tensor], mean));
        Assert.Equal(Overlap.AmongAll(whole), Overlap.AmongAll(kept));
        Assert.Equal(Overlap.Between(whole[0], whole[1]), Overlap.Between(kept[0], kept[1]));
        foreach (var one in kept)
        {
            one.Dispose();
        }
    }

    private static EncodedUpdate? Open(SparseUpdateCodec codec, byte[] bytes, out Rejection why, Uid? uid = null)
    {
        EncodedUpdate.TryOpen(codec, new MemoryStream(bytes), TestData.Rules, TestData.Round, uid ?? TestData.Uid, out var update, out why);
        return update;
    }
}
