using System.Buffers.Binary;

namespace Cairn.Ledger.Evm;

/// <summary>Recursive length prefix: how transactions are written before they are hashed and signed. Only writing; nothing of this kind is read here.</summary>
internal static class Rlp
{
    private const int ShortMax = 55;

    /// <summary>A string of bytes.</summary>
    public static byte[] Text(ReadOnlySpan<byte> bytes) => bytes.Length == 1 && bytes[0] < 0x80 ? bytes.ToArray() : [.. Head(bytes.Length, 0x80), .. bytes];

    /// <summary>A number: its bytes, the highest first, without zeros before them.</summary>
    public static byte[] Number(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return Text(bytes.TrimStart((byte)0));
    }

    /// <summary>A number of up to 32 bytes.</summary>
    public static byte[] Number(ReadOnlySpan<byte> bigEndian) => Text(bigEndian.TrimStart((byte)0));

    /// <summary>A list of what was written already.</summary>
    public static byte[] List(params ReadOnlySpan<byte[]> items)
    {
        var length = 0;
        foreach (var item in items)
        {
            length += item.Length;
        }

        var head = Head(length, 0xC0);
        var list = new byte[head.Length + length];
        head.CopyTo(list, 0);
        var at = head.Length;
        foreach (var item in items)
        {
            item.CopyTo(list, at);
            at += item.Length;
        }

        return list;
    }

    private static byte[] Head(int length, byte first)
    {
        if (length <= ShortMax)
        {
            return [(byte)(first + length)];
        }

        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, length);
        var digits = bytes.TrimStart((byte)0);
        return [(byte)(first + ShortMax + digits.Length), .. digits];
    }
}
