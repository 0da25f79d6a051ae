using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

public sealed class AbiTests
{
    [Fact]
    public void A_call_has_the_bytes_of_the_specification()
    {
        // sam(bytes,bool,uint256[]) with "dave", true and [1,2,3]: the example of the ABI's specification.
        var call = new AbiWriter().Bytes("dave"u8).Flag(true).Words([One(1), One(2), One(3)]).Call("sam(bytes,bool,uint256[])");
        Assert.Equal(
            "a5643bf2" +
            "0000000000000000000000000000000000000000000000000000000000000060" +
            "0000000000000000000000000000000000000000000000000000000000000001" +
            "00000000000000000000000000000000000000000000000000000000000000a0" +
            "0000000000000000000000000000000000000000000000000000000000000004" +
            "6461766500000000000000000000000000000000000000000000000000000000" +
            "0000000000000000000000000000000000000000000000000000000000000003" +
            "0000000000000000000000000000000000000000000000000000000000000001" +
            "0000000000000000000000000000000000000000000000000000000000000002" +
            "0000000000000000000000000000000000000000000000000000000000000003",
            Convert.ToHexStringLower(call));
    }

    [Fact]
    public void What_was_written_is_read()
    {
        Assert.True(EvmAddress.TryParse("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", out var address));
        var bytes = new AbiWriter().Number(UInt128.MaxValue).Bytes([1, 2, 3]).Address(address).Flag(true).Word(One(7)).Number(9).ToArray();
        var reader = new AbiReader(bytes);
        Assert.Equal(UInt128.MaxValue, reader.Number());
        Assert.Equal([1, 2, 3], reader.Bytes(3).ToArray());
        Assert.Equal(address, reader.Address());
        Assert.True(reader.Flag());
        Assert.Equal(One(7), reader.Word());
        Assert.Equal(9ul, reader.UInt64());
        Assert.True(reader.Ok);
    }

    [Fact]
    public void Bytes_that_are_too_long_cut_off_or_not_padded_with_zeros_are_a_fault()
    {
        var good = new AbiWriter().Bytes([1, 2, 3]).ToArray();
        Assert.False(Reads(good, 2));
        Assert.True(Reads(good, 3));
        for (var cut = 0; cut < good.Length; cut++)
        {
            Assert.False(Reads(good[..cut], 3));
        }

        foreach (var (at, value) in new[] { (0, 1), (31, 0x61), (31, 0x21), (32, 1), (63, 4), (63, 33), (99 - 4, 1) })
        {
            var bad = good.ToArray();
            bad[at] = (byte)value;
            Assert.False(Reads(bad, 3), $"byte {at} as {value}");
        }
    }

    [Fact]
    public void Random_bytes_never_make_the_reader_throw()
    {
        var random = new SeededRandom(1, "abi");
        for (var i = 0; i < 2000; i++)
        {
            var bytes = new byte[random.NextBelow(200)];
            for (var k = 0; k < bytes.Length; k++)
            {
                // Mostly zeros, so that offsets and lengths are often in range.
                bytes[k] = random.NextBelow(8) == 0 ? (byte)random.NextBelow(256) : (byte)0;
            }

            var reader = new AbiReader(bytes);
            Assert.True(reader.Bytes(100).Length <= 100);
            _ = reader.Address();
            _ = reader.Flag();
            _ = reader.UInt64();
        }
    }

    private static bool Reads(byte[] bytes, int max)
    {
        var reader = new AbiReader(bytes);
        var read = reader.Bytes(max);
        return reader.Ok && read.SequenceEqual((ReadOnlySpan<byte>)[1, 2, 3]);
    }

    private static Digest One(byte value) => new([.. new byte[31], value]);
}
