using Cairn.Base;

namespace Cairn.Formats.Tests;

public sealed class NumberCodecTests
{
    [Fact]
    public void Halves_and_brain_floats_are_the_nearest_with_ties_to_even()
    {
        float[] values = [0, -0f, 1, -2, 65504, 6.1e-5f, 5.96e-8f, 1 + (1f / 2048), 1 + (3f / 2048), 0.1f];
        Assert.Equal("00000080003C00C0FF7BFF030100003C023C662E", Hex(NumberType.F16, values));
        values = [0, -0f, 1, -2, 1 + (1f / 256), 1 + (3f / 256), float.MaxValue, 0.1f, 1e-40f];
        Assert.Equal("00000080803F00C0803F823F7F7FCD3D0100", Hex(NumberType.BF16, values));
    }

    [Fact]
    public void Blocks_of_bytes_have_their_golden_bytes()
    {
        var values = Enumerable.Range(0, 32).Select(i => (i - 10) / 8f).ToArray();
        Assert.Equal("4B25" + "C4CAD0D6DCE2E8EEF4FA00060C12181E242A30363C43494F555B61676D73797F", Hex(NumberType.Q80, values));
        Assert.Equal("0000" + new string('0', 64), Hex(NumberType.Q80, new float[32]));
    }

    [Fact]
    public void Four_bit_blocks_decode_as_the_format_says()
    {
        // Part by part, written out once more: d, m, then scales and offsets of 6 bits, then levels.
        var random = new SeededRandom(3, "q4k");
        for (var round = 0; round < 200; round++)
        {
            var block = new byte[NumberCodec.Q4KBytes];
            for (var i = 0; i < block.Length; i++)
            {
                block[i] = (byte)random.NextBelow(256);
            }

            BitConverter.TryWriteBytes(block.AsSpan(0), (Half)0.37);
            BitConverter.TryWriteBytes(block.AsSpan(2), (Half)0.11);
            var decoded = new float[256];
            NumberCodec.Decode(NumberType.Q4K, block, decoded);
            for (var i = 0; i < 256; i++)
            {
                var (scale, offset) = SixBits(block, i / 32);
                var levels = block[16 + (i / 64 * 32) + (i % 32)];
                var level = i / 32 % 2 == 0 ? levels & 15 : levels >> 4;
                Assert.Equal(((double)(float)(Half)0.37 * scale * level) - ((double)(float)(Half)0.11 * offset), decoded[i], 1e-4);
            }
        }
    }

    [Theory]
    [InlineData(NumberType.F16, 0.0005)]
    [InlineData(NumberType.BF16, 0.004)]
    [InlineData(NumberType.Q80, 0.012)]
    [InlineData(NumberType.Q4K, 0.08)]
    public void What_comes_back_is_near(NumberType type, double bound)
    {
        var random = new SeededRandom(4, "near");
        var values = new float[256 * 40];
        for (var i = 0; i < values.Length; i++)
        {
            // Blocks of all sizes of numbers, also all above or all below zero.
            values[i] = (float)((random.NextNormal() + (i / 2560) - 1) * Math.Pow(10, (i / 256 % 5) - 3));
        }

        var (error, total) = (0.0, 0.0);
        var back = Back(type, values);
        for (var i = 0; i < values.Length; i++)
        {
            var scale = Math.Pow(10, (i / 256 % 5) - 3);
            error += Math.Pow((values[i] - back[i]) / scale, 2);
            total += Math.Pow(values[i] / scale, 2);
        }

        Assert.InRange(Math.Sqrt(error / total), 0, bound);
    }

    [Fact]
    public void Blocks_of_one_number_and_of_zeros_come_back()
    {
        foreach (var value in new[] { 0f, 1e-30f, -3f, 3f, 6e4f })
        {
            foreach (var type in new[] { NumberType.Q80, NumberType.Q4K })
            {
                Assert.All(Back(type, [.. Enumerable.Repeat(value, 256)]), back => Assert.Equal(value, back, Math.Abs(value) * 0.01 + 1e-7));
            }
        }
    }

    [Fact]
    public void What_a_scale_cannot_say_is_refused()
    {
        Assert.Throws<InputException>(() => Back(NumberType.F16, [1e5f]));
        Assert.Throws<InputException>(() => Back(NumberType.Q80, [.. Enumerable.Repeat(1e9f, 32)]));
        Assert.Throws<InputException>(() => Back(NumberType.Q4K, [.. Enumerable.Repeat(1e9f, 256)]));
    }

    private static (int Scale, int Offset) SixBits(byte[] block, int part)
    {
        var packed = block.AsSpan(4, 12);
        return part < 4
            ? (packed[part] % 64, packed[part + 4] % 64)
            : ((packed[part + 4] % 16) + (packed[part - 4] / 64 * 16), (packed[part + 4] / 16) + (packed[part] / 64 * 16));
    }

    private static float[] Back(NumberType type, float[] values)
    {
        var back = new float[values.Length];
        NumberCodec.Decode(type, Bytes(type, values), back);
        return back;
    }

    private static byte[] Bytes(NumberType type, float[] values)
    {
        var bytes = new byte[NumberTypes.Bytes(type, values.Length)];
        NumberCodec.Encode(type, values, bytes);
        return bytes;
    }

    private static string Hex(NumberType type, float[] values) => Convert.ToHexString(Bytes(type, values));
}
