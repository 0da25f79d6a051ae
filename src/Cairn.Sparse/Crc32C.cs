using System.Numerics;
using System.Runtime.InteropServices;

namespace Cairn.Sparse;

/// <summary>CRC-32C (Castagnoli) as iSCSI has it: all ones before and after. The sum of sections and headers.</summary>
internal static class Crc32C
{
    /// <summary>What a run of bytes begins with.</summary>
    public const uint Begin = uint.MaxValue;

    /// <summary>The sum of bytes that lie in one run.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => End(Append(Begin, bytes));

    /// <summary>Takes more bytes in.</summary>
    /// <param name="state"><see cref="Begin"/>, or what the last call gave.</param>
    /// <param name="bytes">Any number.</param>
    public static uint Append(uint state, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words)
        {
            state = BitOperations.Crc32C(state, word);
        }

        foreach (var one in bytes[(8 * words.Length)..])
        {
            state = BitOperations.Crc32C(state, one);
        }

        return state;
    }

    /// <summary>The sum of all that was taken in.</summary>
    public static uint End(uint state) => ~state;
}
