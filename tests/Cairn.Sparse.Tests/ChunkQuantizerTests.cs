using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class ChunkQuantizerTests
{
    private static readonly ChunkGrid Two = new([new TensorSpec("two", 64, 128, 0)]);

    [Theory]
    [InlineData(QuantizerKind.Sign, 1f / 64)]
    [InlineData(QuantizerKind.SignMagnitude, 1f)]
    public void One_huge_value_among_zeros_is_sent_as_large_as_the_levels_can(QuantizerKind quantizer, float expected)
    {
        // Of 64 values one is 1: the mean of their sizes is 1/64, and no high level is more than 64 times the low one.
        var delta = new float[Two.FlatLength];
        delta[7] = -1;
        var update = TestData.Encoded(Two, delta, quantizer: quantizer);
        Assert.Equal(-expected, TestData.Dense(update, 0)[7]);
        Assert.Equal(LevelBook.ZeroScale, update[0].Scales[1]);
    }

    [Fact]
    public void The_level_of_signs_is_the_mean_size()
    {
        var delta = new float[Two.FlatLength];
        for (var i = 0; i < 64; i++)
        {
            delta[i] = i < 4 ? 15 : 0.125f;
        }

        // (4 · 15 + 60 · 0.125) / 64, to eight bits.
        Assert.Equal(1.0546875f, TestData.Dense(TestData.Encoded(Two, delta, quantizer: QuantizerKind.Sign), 0)[0]);
    }

    [Theory]
    [InlineData(QuantizerKind.Sign)]
    [InlineData(QuantizerKind.SignMagnitude)]
    public void Chunks_that_are_equally_large_have_one_scale_code(QuantizerKind quantizer)
    {
        var grid = new ChunkGrid([new TensorSpec("four", 128, 128, 0)]);
        for (var trial = 0; trial < 20; trial++)
        {
            // Nearly equal, so that the ratio rounds to 1, or one beside zeros, or one beside what is too small for any scale.
            var delta = TestData.Normal(grid.FlatLength, "equal" + trial);
            for (var i = 0; i < delta.Length; i++)
            {
                var first = (i / 64 % 2) + (i / 8192) == 0;
                delta[i] = trial < 10 || first ? MathF.Sign(delta[i]) * (1 + (1e-4f * MathF.Abs(delta[i]))) : delta[i] * (trial % 2 * 1e-9f);
            }

            var update = TestData.Encoded(grid, delta, quantizer: quantizer);
            Assert.Equal(ChunkLevels.One, update[0].Book.Levels.Ratio);
            Assert.All(update[0].Scales.ToArray(), scale => Assert.Contains(scale, new byte[] { 0, LevelBook.ZeroScale }));
            Assert.Equal(Rejection.None, Why(grid, quantizer, update[0]));
        }
    }

    [Fact]
    public void A_second_form_of_the_same_values_is_refused()
    {
        var (plain, half) = (new ChunkLevels(0x3D00, ChunkLevels.One, ChunkLevels.One), new ChunkLevels(0x3D00, 0x3F00, ChunkLevels.One));
        Assert.Equal(Rejection.None, Why(plain, [0, 0], 2));
        Assert.Equal(Rejection.None, Why(half, [0, 3], 2));
        // With ratio 1 every scale code says the same, and where no chunk needs a ratio any would do.
        Assert.Equal(Rejection.BadCode, Why(plain, [0, 3], 2));
        Assert.Equal(Rejection.BadCode, Why(half, [0, 0], 2));
        Assert.Equal(Rejection.BadCode, Why(half, [0, 15], 0));
        // The top is that of the largest chunk.
        Assert.Equal(Rejection.BadCode, Why(half, [1, 3], 2));
        // With spread 1 high and low say the same.
        Assert.Equal(Rejection.BadCode, Why(plain, [0, 0], 3));
        Assert.Equal(Rejection.BadCode, Why(plain, [0, 0], 1));
        Assert.Equal(Rejection.BadCode, Why(plain with { Spread = 0x4000 }, [0, 0], 2));
        Assert.Equal(Rejection.None, Why(plain with { Spread = 0x4000 }, [0, 0], 3));
    }

    private static Rejection Why(ChunkLevels levels, byte[] scales, byte code)
    {
        var indices = new ushort[128];
        var codes = new byte[128];
        for (var i = 0; i < 128; i++)
        {
            (indices[i], codes[i]) = ((ushort)(i % 64), i < 64 ? code : (byte)0);
        }

        return Why(Two, QuantizerKind.SignMagnitude, new SparseTensor(Two[0], indices, codes, scales, new LevelBook(QuantizerKind.SignMagnitude, levels)));
    }

    private static Rejection Why(ChunkGrid grid, QuantizerKind quantizer, SparseTensor tensor)
    {
        var reasons = Enum.GetValues<WireMode>().Select(mode =>
        {
            var codec = new SparseUpdateCodec(grid, new UpdateFormat(quantizer, mode));
            var bytes = codec.Encode(new SparseUpdate(grid, TestData.Rules, TestData.Round, TestData.Uid, [tensor]));
            codec.TryDecode(bytes, TestData.Rules, TestData.Round, TestData.Uid, out _, out var why);
            return why;
        }).ToArray();
        Assert.Equal(reasons[0], reasons[1]);
        return reasons[0];
    }
}
