using System.Text;

namespace Cairn.Base.Tests;

public sealed class WireTests
{
    [Fact]
    public void What_was_written_is_read()
    {
        var reader = new WireReader(Sample());
        Assert.Equal(7, reader.Byte());
        Assert.Equal(-2, reader.Int32());
        Assert.Equal(long.MinValue + 1, reader.Int64());
        Assert.Equal(-0f, reader.Single());
        Assert.Equal(double.Epsilon, reader.Double());
        Assert.Equal(Digest.Of("x"u8), reader.Digest());
        Assert.Equal("Grüße"u8, reader.Bytes(7));
        Assert.Equal("ß€😀", reader.Text(9));
        Assert.Equal("raw"u8, reader.Raw(3));
        Assert.True(reader.Complete);
        Assert.Equal(Sample().Length, reader.Position);
        Assert.Equal(0, reader.Remaining);
    }

    [Fact]
    public void Written_bytes_are_golden()
    {
        Assert.Equal(
            "07" + "feffffff" + "0100000000000080" + "00000080" + "0100000000000000" + "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" +
            "07000000" + "4772c3bcc39f65" + "09000000" + "c39fe282acf09f9880" + "726177",
            Convert.ToHexStringLower(Sample()));
    }

    [Fact]
    public void A_number_that_is_not_a_number_keeps_its_bits()
    {
        var writer = new WireWriter();
        writer.Single(BitConverter.Int32BitsToSingle(0x7fe0_1234));
        writer.Double(BitConverter.Int64BitsToDouble(0x7ff8_0000_0000_4321));
        Assert.Equal("3412e07f" + "214300000000f87f", Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void The_first_fault_sticks_and_everything_after_it_is_zero()
    {
        var reader = new WireReader([1, 2, 3, 4, 5]);
        Assert.Equal(1, reader.Byte());
        Assert.Equal(0, reader.Int64());
        Assert.False(reader.Ok);
        Assert.Equal(0, reader.Byte());
        Assert.Equal(0, reader.Int32());
        Assert.Equal("", reader.Text(10));
        Assert.True(reader.Digest().IsZero);
        Assert.Equal(0, reader.Remaining);
        Assert.Equal(1, reader.Position);
        Assert.False(reader.Complete);
    }

    [Fact]
    public void Bytes_left_over_are_seen()
    {
        var reader = new WireReader([1, 2]);
        reader.Byte();
        Assert.True(reader.Ok);
        Assert.False(reader.Complete);
        Assert.Equal(1, reader.Remaining);
    }

    [Theory]
    [InlineData(-1, 10, 1, false)]
    [InlineData(int.MinValue, 10, 1, false)]
    [InlineData(int.MaxValue, int.MaxValue, 1, false)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue, false)]
    [InlineData(11, 10, 1, false)]
    [InlineData(4, 10, 1, true)]
    [InlineData(5, 10, 1, false)]
    [InlineData(2, 10, 2, true)]
    [InlineData(3, 10, 2, false)]
    [InlineData(0, 0, 8, true)]
    public void A_count_is_bounded_by_the_rules_and_by_the_bytes_left(int count, int max, int bytesEach, bool ok)
    {
        var writer = new WireWriter();
        writer.Int32(count);
        writer.Raw([1, 2, 3, 4]);
        var reader = new WireReader(writer.Written);
        Assert.Equal(ok ? count : 0, reader.Count(max, bytesEach));
        Assert.Equal(ok, reader.Ok);
    }

    [Fact]
    public void Text_is_strict_utf8()
    {
        foreach (var bytes in new byte[][] { [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xE2, 0x82] })
        {
            var writer = new WireWriter();
            writer.Bytes(bytes);
            var reader = new WireReader(writer.Written);
            Assert.Equal("", reader.Text(100));
            Assert.False(reader.Ok);
        }
    }

    [Fact]
    public void Random_reads_of_random_bytes_never_throw_and_never_pass_the_end()
    {
        var random = new SeededRandom(1, "fuzz");
        for (var trial = 0; trial < 20_000; trial++)
        {
            var bytes = new byte[random.NextBelow(60)];
            foreach (ref var b in bytes.AsSpan())
            {
                b = random.NextBelow(3) == 0 ? (byte)random.NextUInt64() : (byte)random.NextBelow(3);
            }

            var reader = new WireReader(bytes);
            for (var step = 0; step < 8; step++)
            {
                var wasOk = reader.Ok;
                Read(ref reader, ref random);
                Assert.True(wasOk || !reader.Ok);
                Assert.InRange(reader.Position, 0, bytes.Length);
                Assert.InRange(reader.Remaining, 0, bytes.Length - reader.Position);
            }
        }
    }

    private static void Read(ref WireReader reader, ref SeededRandom random)
    {
        switch (random.NextBelow(8))
        {
            case 0: reader.Byte(); break;
            case 1: reader.Int32(); break;
            case 2: reader.Int64(); break;
            case 3: reader.Double(); break;
            case 4: reader.Digest(); break;
            case 5: Assert.True(reader.Bytes(20).Length <= 20); break;
            case 6: Assert.True(Encoding.UTF8.GetByteCount(reader.Text(20)) <= 20); break;
            default: reader.Raw(random.NextBelow(20) - 5); break;
        }
    }

    private static byte[] Sample()
    {
        var writer = new WireWriter();
        writer.Byte(7);
        writer.Int32(-2);
        writer.Int64(long.MinValue + 1);
        writer.Single(-0f);
        writer.Double(double.Epsilon);
        writer.Digest(Digest.Of("x"u8));
        writer.Bytes("Grüße"u8);
        writer.Text("ß€😀");
        writer.Raw("raw"u8);
        return writer.ToArray();
    }
}
