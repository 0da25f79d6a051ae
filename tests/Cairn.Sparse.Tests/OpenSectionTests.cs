using Cairn.Base;

namespace Cairn.Sparse.Tests;

/// <summary>A chunk read by itself: what the reader of the whole section accepts and gives, and nothing that it refuses.</summary>
public class OpenSectionTests
{
    private static readonly ChunkGrid Grid = TestData.Mixed;

    [Theory]
    [InlineData(QuantizerKind.Published)]
    [InlineData(QuantizerKind.SignMagnitude)]
    [InlineData(QuantizerKind.Sign)]
    public void One_chunk_can_be_read_without_the_others(QuantizerKind quantizer)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, WireMode.Fast));
        var update = TestData.Update(Grid, "chunk", quantizer: quantizer);
        var bytes = codec.Encode(update);
        for (var t = 0; t < Grid.TensorCount; t++)
        {
            var section = bytes.AsSpan((int)codec.FastOffsetOf(t)..(int)codec.FastOffsetOf(t + 1));
            Assert.Equal(Whole(update[t]), ByChunks(codec, section, t, out var why));
            Assert.Equal(Rejection.None, why);
            section[0] ^= 1;
            Assert.Null(ByChunks(codec, section, t, out why));
            Assert.Equal(Rejection.Malformed, why);
        }
    }

    [Theory]
    [InlineData(QuantizerKind.Published)]
    [InlineData(QuantizerKind.SignMagnitude)]
    [InlineData(QuantizerKind.Sign)]
    public void What_is_refused_as_a_whole_is_refused_by_a_chunk_or_at_opening(QuantizerKind quantizer)
    {
        var codec = new SparseUpdateCodec(Grid, new UpdateFormat(quantizer, WireMode.Fast));
        var random = new SeededRandom(3, "open", (int)quantizer);
        var delta = TestData.Normal(Grid.FlatLength, "open", 1e-3f);
        delta.AsSpan(64 * 128, 64 * 128).Clear();
        var bytes = codec.Encode(TestData.Encoded(Grid, delta, quantizer: quantizer));
        var (accepted, refused, atOpening) = (0, 0, 0);
        for (var trial = 0; trial < 20_000; trial++)
        {
            var t = (int)random.NextBelow(Grid.TensorCount);
            var section = bytes[(int)codec.FastOffsetOf(t)..(int)codec.FastOffsetOf(t + 1)];
            section[random.NextBelow(random.NextBelow(2) == 0 ? Math.Min(32, section.Length) : section.Length)] ^= (byte)(1 << (int)random.NextBelow(8));
            BitConverter.TryWriteBytes(section.AsSpan(section.Length - 4), Crc32C.Of(section.AsSpan(0, section.Length - 4)));
            var alone = ByChunks(codec, section, t, out var why);
            if (codec.TryDecodeTensor(section, t, out var tensor, out var whyWhole))
            {
                accepted++;
                Assert.Equal(Whole(tensor!), alone);
            }
            else if (!OnlyLacksALevel(codec, section, t))
            {
                refused++;
                atOpening += why == Rejection.None ? 0 : 1;
                Assert.Null(alone);
                Assert.Equal(whyWhole, why == Rejection.None ? Rejection.BadCode : why);
            }
        }

        Assert.InRange(accepted, 1000, 20_000);
        Assert.InRange(refused, 1000, 20_000);
        Assert.InRange(atOpening, 100, refused - 100);
    }

    [Fact]
    public void A_chunk_of_zeros_with_codes_a_filled_nibble_and_a_book_for_nobody_are_refused()
    {
        var grid = new ChunkGrid([new TensorSpec("three", 64, 192, 0)]);
        var codec = new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.Sign, WireMode.Fast));
        var delta = TestData.Normal(grid.FlatLength, "three");
        for (var row = 0; row < 64; row++)
        {
            delta.AsSpan((row * 192) + 128, 64).Clear();
        }

        var section = codec.Encode(TestData.Encoded(grid, delta, quantizer: QuantizerKind.Sign))[SparseUpdateCodec.HeaderBytes..];
        Rejection Why(int at, byte value)
        {
            var changed = (byte[])section.Clone();
            changed[at] = value;
            BitConverter.TryWriteBytes(changed.AsSpan(changed.Length - 4), Crc32C.Of(changed.AsSpan(0, changed.Length - 4)));
            Assert.Null(ByChunks(codec, changed, 0, out var why));
            Assert.False(codec.TryDecodeTensor(changed, 0, out _, out var whole));
            Assert.Equal(Rejection.BadCode, whole);
            return why;
        }

        Assert.Equal(15, section[7]);
        Assert.Equal(Rejection.None, Why(section.Length - 5, 1)); // a code of the last chunk, all of zeros: not seen at opening
        Assert.Equal(Rejection.BadCode, Why(7, 0x1F));
        section[6] = 0xFF;
        Assert.Equal(Rejection.BadCode, Why(7, 15));
    }

    // True if the chunks are in form one by one, and the section alone lacks a value of a level that its book names.
    private static bool OnlyLacksALevel(SparseUpdateCodec codec, byte[] section, int tensor)
    {
        if (!codec.TryOpenTensor(section, tensor, out var opened, out _))
        {
            return false;
        }

        var book = Quantizers.Of(codec.Format.Quantizer).TryRead(section.AsSpan(0, Quantizers.Of(codec.Format.Quantizer).HeaderBytes))!;
        if (ByChunks(codec, section, tensor, out _)?.Select(sent => sent.Value).ToHashSet() is not { } values)
        {
            return false;
        }

        return codec.Format.Quantizer == QuantizerKind.Published
            ? Enumerable.Range(0, 4).Any(code => BitConverter.SingleToInt32Bits(LevelOf(book.Codebook, code)) != 0 && !values.Contains(book.Table[code]))
            : book.Levels.Spread != ChunkLevels.One
                && !Enumerable.Range(0, 15).Any(scale => values.Contains(book.Table[(4 * scale) + 1]) || values.Contains(book.Table[(4 * scale) + 3]));
    }

    private static float LevelOf(Codebook book, int code) => code switch { 0 => book.Level0, 1 => book.Level1, 2 => book.Level2, _ => book.Level3 };

    private static List<(int Place, float Value)> Whole(SparseTensor tensor)
    {
        var values = new float[tensor.Grid.ValueCount];
        tensor.CopyValuesTo(values);
        return [.. tensor.Indices.ToArray().Select((place, i) => ((int)place, values[i]))];
    }

    private static List<(int Place, float Value)>? ByChunks(SparseUpdateCodec codec, ReadOnlySpan<byte> section, int tensor, out Rejection why)
    {
        if (!codec.TryOpenTensor(section, tensor, out var opened, out why))
        {
            return null;
        }

        var (grid, all) = (codec.Grid[tensor], new (int, float)[codec.Grid[tensor].ValueCount]);
        for (var chunk = grid.ChunkCount - 1; chunk >= 0; chunk--)
        {
            var (indices, values) = (new ushort[grid.KeepOf(chunk)], new float[grid.KeepOf(chunk)]);
            if (!opened.TryRead(chunk, indices, values))
            {
                return null;
            }

            for (var i = 0; i < indices.Length; i++)
            {
                all[grid.FirstValueOf(chunk) + i] = (indices[i], values[i]);
            }
        }

        return [.. all];
    }
}
