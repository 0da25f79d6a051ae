using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Codes and scales without gaps: 1, 2 or 4 bits each, from the lowest bits of the first byte on, filled up to a whole byte with zeros.</summary>
internal static class CodePacking
{
    /// <summary>Bytes of a packed run.</summary>
    public static int Bytes(int count, int bits) => (int)((((long)count * bits) + 7) / 8);

    /// <summary>Packs.</summary>
    /// <param name="codes">One to a byte, each below 2^bits.</param>
    /// <param name="bits">1, 2 or 4.</param>
    /// <param name="packed">Exactly Bytes(codes.Length, bits); overwritten.</param>
    public static void Pack(ReadOnlySpan<byte> codes, int bits, Span<byte> packed)
    {
        Invariant.Check(packed.Length == Bytes(codes.Length, bits));
        var (i, at) = (0, 0);
        if (Bmi2.X64.IsSupported)
        {
            // Eight at a time while there is room for a whole word: what is too much of it the next one overwrites.
            var mask = MaskOf(bits);
            for (; i + 8 <= codes.Length && at + 8 <= packed.Length; i += 8, at += bits)
            {
                var eight = Bmi2.X64.ParallelBitExtract(BinaryPrimitives.ReadUInt64LittleEndian(codes[i..]), mask);
                BinaryPrimitives.WriteUInt64LittleEndian(packed[at..], eight);
            }
        }

        packed[at..].Clear();
        for (; i < codes.Length; i++)
        {
            packed[i * bits / 8] |= (byte)(codes[i] << (i * bits % 8));
        }
    }

    /// <summary>Unpacks any bytes.</summary>
    /// <param name="packed">Exactly Bytes(codes.Length, bits).</param>
    /// <param name="bits">1, 2 or 4.</param>
    /// <param name="codes">Receives the codes, one to a byte.</param>
    /// <returns>False if a filling bit is set.</returns>
    public static bool TryUnpack(ReadOnlySpan<byte> packed, int bits, Span<byte> codes)
    {
        Invariant.Check(packed.Length == Bytes(codes.Length, bits));
        var (i, at) = (0, 0);
        if (Bmi2.X64.IsSupported)
        {
            var spread = MaskOf(bits);
            for (; i + 8 <= codes.Length && bits <= 2; i += 8, at += bits)
            {
                ulong eight = bits == 1 ? packed[at] : BinaryPrimitives.ReadUInt16LittleEndian(packed[at..]);
                BinaryPrimitives.WriteUInt64LittleEndian(codes[i..], Bmi2.X64.ParallelBitDeposit(eight, spread));
            }
        }

        var mask = (1 << bits) - 1;
        for (; i < codes.Length; i++)
        {
            codes[i] = (byte)((packed[i * bits / 8] >> (i * bits % 8)) & mask);
        }

        return IsFilledWithZeros(packed, bits, codes.Length);
    }

    /// <summary>Whether the bits that fill up the last byte of a run are zero.</summary>
    public static bool IsFilledWithZeros(ReadOnlySpan<byte> packed, int bits, int count)
    {
        var used = (int)((long)count * bits % 8);
        return used == 0 || packed[^1] >> used == 0;
    }

    private static ulong MaskOf(int bits) => bits switch
    {
        1 => 0x0101_0101_0101_0101,
        2 => 0x0303_0303_0303_0303,
        _ => 0x0F0F_0F0F_0F0F_0F0F,
    };
}
