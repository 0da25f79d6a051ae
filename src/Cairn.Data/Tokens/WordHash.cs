using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Cairn.Data;

/// <summary>A fast hash of short byte strings for tables in memory; the same on every machine, but never written anywhere.</summary>
internal static class WordHash
{
    /// <summary>64 well mixed bits.</summary>
    /// <param name="word">Any bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> word)
    {
        var length = word.Length;
        if (length > 8)
        {
            return OfLong(word);
        }

        ulong low;
        if (length >= 4)
        {
            low = BinaryPrimitives.ReadUInt32LittleEndian(word) | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(word[(length - 4)..]) << 32);
        }
        else
        {
            low = length == 0 ? 0 : word[0] | ((ulong)word[length >> 1] << 8) | ((ulong)word[length - 1] << 16);
        }

        return Mix(low, (ulong)length);
    }

    private static ulong OfLong(ReadOnlySpan<byte> word)
    {
        var state = (ulong)word.Length;
        for (var at = 0; at + 8 < word.Length; at += 8)
        {
            state = Mix(BinaryPrimitives.ReadUInt64LittleEndian(word[at..]), state);
        }

        return Mix(BinaryPrimitives.ReadUInt64LittleEndian(word[^8..]), state);
    }

    // A folded 128-bit product: both factors reach every bit of the result.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong value, ulong state)
    {
        var high = Math.BigMul(value ^ 0x9E37_79B9_7F4A_7C15, (state * 0xD6E8_FEB8_6659_FD93) ^ 0xA076_1D64_78BD_642F, out var low);
        return high ^ low;
    }
}
