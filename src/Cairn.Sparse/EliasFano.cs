using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The places of one chunk as Elias (1974) and Fano (1971) code a rising sequence: l low bits of each, then a map in which the i-th one stands after as
/// many zeros as its high bits say. 8 bits a place for 64 of 4096, where log₂ C(4096, 64) / 64 is 7.364; a fixed size, and exactly one form for each set.</summary>
/// <remarks>All bits run from the lowest of the first byte on. A whole chunk, 64 of 4096, is read and written without a branch; all others place by place.</remarks>
internal static unsafe class EliasFano
{
    private static readonly ushort[] ZerosBefore = MakeZerosBefore();

    /// <summary>Writes low bits and map.</summary>
    /// <param name="indices">Rising strictly, below the chunk's length: [Count].</param>
    /// <param name="code">How many of how many.</param>
    /// <param name="record">Exactly code.Bytes; overwritten.</param>
    public static void Write(ReadOnlySpan<ushort> indices, in PlaceCode code, Span<byte> record)
    {
        Invariant.Check(indices.Length == code.Count && record.Length == code.Bytes);
        if (code.IsWhole)
        {
            fixed (ushort* i = indices)
            {
                fixed (byte* r = record)
                {
                    WriteWhole(i, r);
                }
            }

            return;
        }

        WriteAny(indices, code, record);
    }

    /// <summary>Reads and judges low bits and map of any content.</summary>
    /// <param name="record">Exactly code.Bytes.</param>
    /// <param name="code">How many of how many.</param>
    /// <param name="indices">Receives the places: [Count]; of no use when false comes back.</param>
    /// <returns>False if the map does not hold exactly k ones, places do not rise strictly or leave the chunk, or a filling bit is set.</returns>
    public static bool TryRead(ReadOnlySpan<byte> record, in PlaceCode code, Span<ushort> indices)
    {
        Invariant.Check(indices.Length == code.Count && record.Length == code.Bytes);
        if (code.IsWhole)
        {
            fixed (ushort* i = indices)
            {
                fixed (byte* r = record)
                {
                    return WholeChunk.IsSupported ? WholeChunk.TryRead(r, i) : TryReadWhole(r, i);
                }
            }
        }

        return TryReadAny(record, code, indices);
    }

    private static void WriteWhole(ushort* indices, byte* record)
    {
        // Six bytes at a time; each word's two more are overwritten by the next, the last one's by the map.
        for (var eight = 0; eight < 8; eight++)
        {
            var low = Vector128.Load(indices + (8 * eight)) & Vector128.Create((ushort)63);
            Little.Write(record + (6 * eight), FromSixBits(Vector128.Narrow(low, low).AsUInt64().ToScalar()));
        }

        var (i, word) = (0, 0UL);
        for (; i < 64 && (indices[i] >> 6) + i < 64; i++)
        {
            word |= 1UL << ((indices[i] >> 6) + i);
        }

        Little.Write(record + 48, word);
        for (word = 0; i < 64; i++)
        {
            word |= 1UL << ((indices[i] >> 6) + i - 64);
        }

        Little.Write(record + 56, word);
    }

    // Six bits from each of eight bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FromSixBits(ulong word)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitExtract(word, 0x3F3F_3F3F_3F3F_3F3F);
        }

        word = (word & 0x003F_003F_003F_003F) | ((word >> 2) & 0x0FC0_0FC0_0FC0_0FC0);
        word = (word & 0x0000_0FFF_0000_0FFF) | ((word >> 4) & 0x00FF_F000_00FF_F000);
        return (word & 0xFF_FFFF) | ((word >> 8) & 0xFFFF_FF00_0000);
    }

    [SkipLocalsInit]
    private static bool TryReadWhole(byte* record, ushort* indices)
    {
        // 64 ones, none after all the zeros.
        var (first, second) = (Little.UInt64(record + 48), Little.UInt64(record + 56));
        if (BitOperations.PopCount(first) + BitOperations.PopCount(second) != 64 || (long)second < 0)
        {
            return false;
        }

        // For each byte of the map, how many zeros stand before its ones: up to eight at a time, of which the next byte overwrites the surplus.
        var high = stackalloc ushort[64 + 8];
        fixed (ushort* zeros = ZerosBefore)
        {
            var ones = 0;
            for (var i = 0; i < 16; i++)
            {
                var map = record[48 + i];
                (Vector128.Load(zeros + (8 * map)) + Vector128.Create((ushort)(((8 * i) - ones) << 6))).Store(high + ones);
                ones += BitOperations.PopCount(map);
            }
        }

        // Eight times six bits at a time; the last word reaches two bytes into the map.
        var rising = Vector128<short>.AllBitsSet;
        var previous = Vector128.Create((short)-1);
        for (var eight = 0; eight < 8; eight++)
        {
            var low = Vector128.WidenLower(Vector128.CreateScalar(SixBits(Little.UInt64(record + (6 * eight)))).AsByte());
            var places = (low | Vector128.Load(high + (8 * eight))).AsInt16();
            places.AsUInt16().Store(indices + (8 * eight));
            rising &= Vector128.GreaterThan(places, OneBack(previous, places));
            previous = places;
        }

        return rising == Vector128<short>.AllBitsSet;
    }

    // The last of one vector, then the first seven of the next.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> OneBack(Vector128<short> previous, Vector128<short> places) => Ssse3.IsSupported
        ? Ssse3.AlignRight(places, previous, 14)
        : Vector128.Shuffle(places, Vector128.Create((short)0, 0, 1, 2, 3, 4, 5, 6)).WithElement(0, previous.GetElement(7));

    // Six bits to each of eight bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SixBits(ulong word)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitDeposit(word, 0x3F3F_3F3F_3F3F_3F3F);
        }

        word = (word & 0xFF_FFFF) | ((word & 0xFFFF_FF00_0000) << 8);
        word = (word & 0x0000_0FFF_0000_0FFF) | ((word & 0x00FF_F000_00FF_F000) << 4);
        return (word & 0x003F_003F_003F_003F) | ((word & 0x0FC0_0FC0_0FC0_0FC0) << 2);
    }

    private static void WriteAny(ReadOnlySpan<ushort> indices, in PlaceCode code, Span<byte> record)
    {
        var map = record[code.LowBytes..];
        map.Clear();
        var (lowBits, mask, at) = (code.LowBits, (1U << code.LowBits) - 1, 0);
        var (pending, count) = (0UL, 0);
        for (var i = 0; i < indices.Length; i++)
        {
            var bit = (indices[i] >> lowBits) + i;
            map[bit >> 3] |= (byte)(1 << (bit & 7));
            pending |= (ulong)(indices[i] & mask) << count;
            count += lowBits;
            if (count >= 32)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(record[at..], (uint)pending);
                (pending, count, at) = (pending >> 32, count - 32, at + 4);
            }
        }

        for (; count > 0; count -= 8, pending >>= 8)
        {
            record[at++] = (byte)pending;
        }
    }

    private static bool TryReadAny(ReadOnlySpan<byte> record, in PlaceCode code, Span<ushort> indices)
    {
        var low = record[..code.LowBytes];
        var map = record[code.LowBytes..];
        var (lowBits, mask, length) = (code.LowBits, (1U << code.LowBits) - 1, code.Length);
        var (pending, count, next) = (0UL, 0, 0);
        var (i, previous) = (0, -1);
        for (var at = 0; at < map.Length; at += 8)
        {
            for (var word = WordAt(map, at); word != 0; word &= word - 1, i++)
            {
                if (i == indices.Length)
                {
                    return false;
                }

                for (; count < lowBits; count += 8)
                {
                    pending |= (ulong)low[next++] << count;
                }

                var high = (8 * at) + BitOperations.TrailingZeroCount(word) - i;
                var place = (high << lowBits) | (int)((uint)pending & mask);
                (pending, count) = (pending >> lowBits, count - lowBits);
                if (place <= previous || place >= length)
                {
                    return false;
                }

                indices[i] = (ushort)place;
                previous = place;
            }
        }

        // What is left of the last byte of low bits is filling.
        return i == indices.Length && pending == 0;
    }

    private static ulong WordAt(ReadOnlySpan<byte> bytes, int at)
    {
        if (at + 8 <= bytes.Length)
        {
            return BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
        }

        var word = 0UL;
        for (var i = bytes.Length - 1; i >= at; i--)
        {
            word = (word << 8) | bytes[i];
        }

        return word;
    }

    // For each of 256 bytes: of its r-th one, how many zeros stand before it in the byte, times 64.
    private static ushort[] MakeZerosBefore()
    {
        var table = new ushort[256 * 8];
        for (var map = 0; map < 256; map++)
        {
            var rank = 0;
            for (var at = 0; at < 8; at++)
            {
                if (((map >> at) & 1) != 0)
                {
                    table[(8 * map) + rank] = (ushort)((at - rank) << 6);
                    rank++;
                }
            }
        }

        return table;
    }
}
