using System.Buffers;
using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class SparseUpdateCodecTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;

    public static TheoryData<QuantizerKind, WireMode> Formats => TestData.Formats;

    [Theory]
    [MemberData(nameof(Formats))]
    public void What_is_encoded_is_decoded_whatever_its_content(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        foreach (var (name, update) in Updates(quantizer))
        {
            var bytes = codec.Encode(update);
            Assert.True(Decode(codec, bytes, out var back, out var why), $"{name}: {why}");
            Assert.Equal((update.Rules, update.Round, update.Uid), (back!.Rules, back.Round, back.Uid));
            AssertSame(update, back);
            Assert.Equal(bytes, codec.Encode(back));
            Assert.True(codec.IsPossible(bytes.Length));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_second_reader_written_from_the_specification_reads_the_same(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        foreach (var (name, update) in Updates(quantizer))
        {
            var read = SlowReader.Read(codec.Encode(update), Grid, quantizer, mode);
            for (var t = 0; t < Grid.TensorCount; t++)
            {
                var dense = new float[Grid[t].Spec.Length];
                foreach (var (place, value) in read[t])
                {
                    dense[place] += value;
                }

                Assert.Equal(Grid[t].ValueCount, read[t].Count);
                Assert.True(TestData.Dense(update, t).SequenceEqual(dense), $"{name}, tensor {t}");
            }
        }
    }

    [Theory]
    [InlineData(QuantizerKind.Published, 64)]
    [InlineData(QuantizerKind.SignMagnitude, 64)]
    [InlineData(QuantizerKind.Sign, 64)]
    [InlineData(QuantizerKind.Published, 43)]
    [InlineData(QuantizerKind.SignMagnitude, 43)]
    [InlineData(QuantizerKind.Sign, 43)]
    public void Gaps_of_every_size_side_by_side_come_back_in_the_small_form(QuantizerKind quantizer, int keep)
    {
        var grid = new ChunkGrid([new TensorSpec("w", 256, 256, 0)], keep);
        var codec = new SparseUpdateCodec(grid, new UpdateFormat(quantizer, WireMode.Small));
        var delta = TestData.Normal(grid.FlatLength, "gaps", 1e-3f);
        for (var i = 0; i < delta.Length; i++)
        {
            // Chunk by chunk clusters that lie further and further apart.
            var (row, chunk) = (i / 256 % 64, (i / 256 / 64 * 4) + (i / 64 % 4));
            delta[i] *= row % (1 + (2 * chunk)) == 0 ? 1 : 1e-3f;
        }

        var update = TestData.Encoded(grid, delta, quantizer: quantizer);
        var bytes = codec.Encode(update);
        var fast = new SparseUpdateCodec(grid, new UpdateFormat(quantizer, WireMode.Fast)).BytesMax;
        Assert.InRange(bytes.Length, 0, fast);
        Assert.True(Decode(codec, bytes, out var back, out _));
        Assert.Equal(update[0].Indices, back![0].Indices);
        Assert.Equal(update[0].Codes, back[0].Codes);
        var dense = new float[grid.FlatLength];
        foreach (var (place, value) in SlowReader.Read(bytes, grid, quantizer, WireMode.Small)[0])
        {
            dense[place] = value;
        }

        Assert.Equal(TestData.Dense(back, 0), dense);
        var chunks = Enumerable.Range(0, 16).Select(chunk => back[0].IndicesOf(chunk).ToArray());
        var gaps = chunks.SelectMany(places => places.Zip(places.Skip(1), (a, b) => b - a - 1)).ToList();
        Assert.InRange(gaps.Count(gap => gap >= 256), 10, gaps.Count);
    }

    [Fact]
    public void A_sum_of_pieces_side_by_side_is_the_sum_bit_by_bit()
    {
        var random = new SeededRandom(6, "crc");
        var bytes = new byte[10_007];
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = (byte)random.NextBelow(256);
        }

        Assert.Equal(0xE3069283, Crc32C.Of("123456789"u8));
        foreach (var length in new[] { 0, 1, 7, 8, 511, 1535, 1536, 1537, 3071, 3072, 4608, 10_007 })
        {
            Assert.Equal(SlowReader.Crc(bytes.AsSpan(0, length)), Crc32C.Of(bytes.AsSpan(0, length)));
            var begun = Crc32C.Append(Crc32C.Begin, bytes.AsSpan(0, length / 3));
            Assert.Equal(Crc32C.Of(bytes.AsSpan(0, length)), Crc32C.End(Crc32C.Append(begun, bytes.AsSpan((length / 3)..length))));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_stream_gives_the_same_bytes_and_the_same_tensors(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        var update = TestData.Update(Grid, "stream", quantizer: quantizer);
        var bytes = codec.Encode(update);
        using var reader = new SparseUpdateReader(codec, new MemoryStream(bytes), TestData.Rules, TestData.Round, TestData.Uid);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            Assert.True(reader.TryRead(out var tensor));
            Assert.Equal(update[t].Indices, tensor!.Indices);
        }

        Assert.False(reader.TryRead(out _));
        Assert.Equal(Rejection.None, reader.Why);
        foreach (var changed in new[] { bytes[..^1], [.. bytes, 0] })
        {
            using var again = new SparseUpdateReader(codec, new MemoryStream(changed), TestData.Rules, TestData.Round, TestData.Uid);
            while (again.TryRead(out _))
            {
            }

            Assert.Equal(Rejection.Malformed, again.Why);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void The_encoding_of_a_known_update_never_changes(QuantizerKind quantizer, WireMode mode)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, mode));
        var name = $"golden/{quantizer}-{mode}.bin".ToLowerInvariant();
        using var stream = typeof(SparseUpdateCodecTests).Assembly.GetManifestResourceStream(name)!;
        var golden = new byte[stream.Length];
        stream.ReadExactly(golden);
        var update = TestData.Update(Grid, "golden", quantizer: quantizer);
        Assert.Equal(Convert.ToHexStringLower(golden), Convert.ToHexStringLower(codec.Encode(update)));
        Assert.True(Decode(codec, golden, out var back, out _));
        AssertSame(update, back!);
    }

    [Fact]
    public void Small_is_never_longer_than_fast_and_shorter_on_what_is_large()
    {
        var (fast, small) = (Codec(WireMode.Fast), Codec(WireMode.Small));
        var update = TestData.Update(Grid, "sizes");
        Assert.InRange(small.Encode(update).Length, 1, fast.Encode(update).Length + (4 * Grid.TensorCount));
        var large = new ChunkGrid([new TensorSpec("w", 512, 512, 0)]);
        var one = TestData.Update(large, "large");
        var bits = new[] { WireMode.Fast, WireMode.Small }
            .Select(mode => 8.0 * new SparseUpdateCodec(large, new UpdateFormat(QuantizerKind.SignMagnitude, mode)).Encode(one).Length / large.ValueCount).ToArray();
        Assert.InRange(bits[0], 10.0625, 10.3);
        Assert.InRange(bits[1], 8.5, 9.6);
    }

    [Fact]
    public void Nothing_is_read_in_memory_that_was_given_back()
    {
        for (var i = 0; i < 16; i++)
        {
            var tensor = TestData.Update(Grid, $"given back {i}")[0];
            var codec = new SectionCodec(new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Small), Grid.Keep, new OverwritingPool());
            var bytes = new byte[codec.BytesMax(tensor.Grid)];
            var length = codec.Write(tensor, bytes) - SectionCodec.LengthBytes;
            Assert.True(length < codec.FastBytes(tensor.Grid));
            Assert.Equal(Rejection.None, codec.TryRead(bytes.AsSpan(SectionCodec.LengthBytes, length), tensor.Grid, null, out _));
        }
    }

    [Fact]
    public void Another_round_author_rules_grid_version_or_format_is_refused_by_name()
    {
        var codec = Codec(WireMode.Small);
        var bytes = codec.Encode(TestData.Update(Grid, "header"));
        Rejection Judge(SparseUpdateCodec by, Digest rules, int round, int uid)
        {
            Assert.False(by.TryDecode(bytes, rules, new Round(round), new Uid(uid), out var update, out var why));
            Assert.Null(update);
            return why;
        }

        var other = new ChunkGrid([.. Enumerable.Range(0, 6).Select(i => Grid[i].Spec with { Name = "x" + i })]);
        Assert.Equal(Rejection.WrongRules, Judge(codec, Digest.Zero, 3, 7));
        Assert.Equal(Rejection.Late, Judge(codec, TestData.Rules, 4, 7));
        Assert.Equal(Rejection.BadSignature, Judge(codec, TestData.Rules, 3, 8));
        Assert.Equal(Rejection.WrongShape, Judge(new SparseUpdateCodec(other, codec.Format), TestData.Rules, 3, 7));
        foreach (var format in new[] { new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Fast), new UpdateFormat(QuantizerKind.Sign, WireMode.Small) })
        {
            Assert.Contains(Judge(new SparseUpdateCodec(Grid, format), TestData.Rules, 3, 7), new[] { Rejection.Malformed, Rejection.TooLarge });
        }

        bytes[4] = 2;
        Assert.Equal(Rejection.Malformed, Judge(codec, TestData.Rules, 3, 7));
    }

    [Fact]
    public void A_fast_form_where_the_small_one_is_shorter_is_refused()
    {
        var grid = new ChunkGrid([new TensorSpec("w", 256, 256, 0)]);
        var (fast, small) = (
            new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Fast)),
            new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Small)));
        var update = TestData.Update(grid, "form");
        var section = fast.Encode(update)[SparseUpdateCodec.HeaderBytes..];
        byte[] smuggled = [.. small.Encode(update)[..SparseUpdateCodec.HeaderBytes], .. BitConverter.GetBytes(section.Length), .. section];
        Assert.False(Decode(small, smuggled, out _, out var why));
        Assert.Equal(Rejection.BadCode, why);
    }

    [Fact]
    public void Any_impossible_length_is_refused_without_allocating_an_update()
    {
        foreach (var mode in Enum.GetValues<WireMode>())
        {
            var codec = Codec(mode);
            var bytes = codec.Encode(TestData.Update(Grid, "length"));
            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.False(Decode(codec, bytes.AsSpan(0, length), out _, out var why));
                Assert.Equal(Rejection.Malformed, why);
            }

            var huge = new byte[50_000_000];
            bytes.CopyTo(huge, 0);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.False(Decode(codec, huge, out _, out var reason));
            Assert.Equal(Rejection.TooLarge, reason);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
        }
    }

    [Fact]
    public void Coding_allocates_nothing_for_each_chunk()
    {
        foreach (var mode in Enum.GetValues<WireMode>())
        {
            long Allocated(int side)
            {
                var grid = new ChunkGrid([new TensorSpec("w", side, side, 0)]);
                var codec = new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.SignMagnitude, mode));
                var update = TestData.Update(grid, "alloc");
                var bytes = codec.Encode(update);
                Assert.True(Decode(codec, bytes, out _, out _));
                var before = GC.GetAllocatedBytesForCurrentThread();
                codec.Encode(update);
                Decode(codec, bytes, out _, out _);
                return GC.GetAllocatedBytesForCurrentThread() - before;
            }

            // What grows is arrays of the update's own size: at most 16 bytes a value in all, and nothing for each of 63 more chunks.
            Assert.InRange(Allocated(512) - Allocated(64), 0, 63 * 64 * 16);
        }
    }

    private static SparseUpdateCodec Codec(WireMode mode) => new(Grid, new UpdateFormat(QuantizerKind.SignMagnitude, mode));

    /// <summary>Contents that have tripped codecs: noise, zeros, one value, ramps, clusters, few different numbers.</summary>
    private static IEnumerable<(string Name, float[] Delta)> Kinds()
    {
        var length = (int)Grid.FlatLength;
        yield return ("noise", TestData.Normal(length, "kinds", 1e-3f));
        yield return ("zeros", new float[length]);
        var one = new float[length];
        one[4000] = -3e-5f;
        one[16384] = 1e-7f;
        yield return ("one", one);
        yield return ("ramp", [.. Enumerable.Range(0, length).Select(i => 1e-6f * i)]);
        yield return ("first rows", [.. Enumerable.Range(0, length).Select(i => i % 8192 < 640 ? 1e-2f / (1 + (i % 97)) : 1e-9f)]);
        yield return ("last", [.. Enumerable.Range(0, length).Select(i => i % 4096 > 4000 ? -1f : 0f)]);
        yield return ("two sizes", [.. Enumerable.Range(0, length).Select(i => (i % 3 == 0 ? -1 : 1) * (i % 5 == 0 ? 0.02f : 0.01f))]);
        yield return ("far apart", [.. TestData.Normal(length, "far").Select((x, i) => i / 4096 % 2 == 0 ? x * 1e-18f : x * 1e3f)]);
    }

    private static IEnumerable<(string Name, SparseUpdate Update)> Updates(QuantizerKind quantizer) =>
        Kinds().Select(kind => (kind.Name, TestData.Encoded(Grid, kind.Delta, quantizer: quantizer)));

    private static void AssertSame(SparseUpdate a, SparseUpdate b)
    {
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            Assert.Equal(a[t].Indices, b[t].Indices);
            Assert.Equal(a[t].Codes, b[t].Codes);
            Assert.Equal(a[t].Scales, b[t].Scales);
            Assert.Equal(a[t].Book.Table, b[t].Book.Table);
        }
    }

    private static bool Decode(SparseUpdateCodec codec, ReadOnlySpan<byte> bytes, out SparseUpdate? update, out Rejection why) =>
        codec.TryDecode(bytes, TestData.Rules, TestData.Round, TestData.Uid, out update, out why);

    /// <summary>What is given back is overwritten at once, as by the next who rents it.</summary>
    private sealed class OverwritingPool : ArrayPool<byte>
    {
        public override byte[] Rent(int minimumLength) => new byte[minimumLength];

        public override void Return(byte[] array, bool clearArray = false) => Array.Fill(array, (byte)0xFF);
    }
}
