using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Reads what <see cref="RangeEncoder"/> wrote, from hostile bytes.</summary>
/// <remarks>Two cursors meet: low bits and codes from the front on, words from the back. Both may overrun by what one chunk can take, into padding; whether they met
/// exactly is judged after each chunk and at the end, so the inner loops hold no check. Four states take turns, so that their latencies overlap. About 10 cycles a
/// value.</remarks>
internal unsafe ref struct RangeDecoder
{
    /// <summary>Bytes that must be readable before and behind the coded ones: 64 words; 64 times 13 bits and one more word.</summary>
    public const int Padding = 128;

    private const ulong EachByte = 0x0101_0101_0101_0101;
    private readonly GapModels _models;
    private readonly GapModel _model;
    private readonly ulong _largeSymbols;
    private readonly int _sizes;
    private readonly int _rawCodeBits;
    private readonly Span<int> _histogram;
    private readonly byte* _begin;
    private byte* _words;
    private long _bits;
    private uint _x0, _x1, _x2, _x3;

    /// <summary>Begins.</summary>
    /// <param name="begin">The first of the coded bytes, padded on both sides.</param>
    /// <param name="length">How many, the states at their end included.</param>
    /// <param name="models">The tables.</param>
    /// <param name="model">Which of them is the section's.</param>
    /// <param name="histogram">Counts the symbols that are read, in four parts of SymbolsMax, so that no count waits for the one before it.</param>
    public RangeDecoder(byte* begin, int length, GapModels models, int model, Span<int> histogram)
    {
        Invariant.Check(length >= RangeEncoder.StateBytes);
        (_models, _model, _sizes, _rawCodeBits) = (models, models[model], models.Sizes, models.RawCodeBits);
        // The bits of eight symbols of which one is set where a gap is 256 or more.
        _largeSymbols = (models.Sizes == 2 ? 0xC0UL : 0xE0UL) * EachByte;
        _histogram = histogram;
        _begin = begin;
        _words = begin + length - RangeEncoder.StateBytes;
        _x0 = Little.UInt32(_words);
        _x1 = Little.UInt32(_words + 4);
        _x2 = Little.UInt32(_words + 8);
        _x3 = Little.UInt32(_words + 12);
    }

    /// <summary>Whether the states are such that a writer leaves behind.</summary>
    public readonly bool IsBegun => Math.Min(Math.Min(_x0, _x1), Math.Min(_x2, _x3)) >= RangeEncoder.Lowest;

    /// <summary>Whether everything was read and nothing else was there: all states at their beginning, the cursors met, zeros as filling.</summary>
    public readonly bool IsAtEnd
    {
        get
        {
            var filled = (8 - (int)(_bits & 7)) & 7;
            var rest = filled == 0 ? 0 : _begin[_bits >> 3] >> (8 - filled);
            return _x0 == RangeEncoder.Lowest && _x1 == RangeEncoder.Lowest && _x2 == RangeEncoder.Lowest && _x3 == RangeEncoder.Lowest
                && _begin + ((_bits + 7) >> 3) == _words && rest == 0;
        }
    }

    /// <summary>Reads one chunk.</summary>
    /// <param name="length">Its elements.</param>
    /// <param name="indices">Receives the places: as many as are sent, at most 64.</param>
    /// <param name="codes">Receives as many codes.</param>
    /// <returns>False if a place leaves the chunk or the bytes are at an end.</returns>
    [SkipLocalsInit]
    public bool TryRead(int length, Span<ushort> indices, Span<byte> codes)
    {
        var symbols = stackalloc byte[TopK.KeepMax];
        ReadSymbols(symbols, indices.Length);
        if (_begin + (_bits >> 3) > _words)
        {
            return false;
        }

        fixed (ushort* places = indices)
        {
            fixed (byte* own = codes)
            {
                return ReadPlaces(symbols, places, own, indices.Length) < length && _begin + ((_bits + 7) >> 3) <= _words;
            }
        }
    }

    // x ← f · ⌊x / 4096⌋ + (x mod 4096) − start for each of the states in turn; then a word more if that is below 2^16, without a branch, which nobody
    // could foretell. Written out: the four chains run side by side only if all of it stays in registers. Counting costs nothing here: the chains leave time.
    private void ReadSymbols(byte* symbols, int count)
    {
        uint x0 = _x0, x1 = _x1, x2 = _x2, x3 = _x3;
        var words = _words;
        fixed (uint* slots = _model.Slots)
        {
            fixed (int* counts = _histogram)
            {
                var end = symbols + (count & ~3);
                for (; symbols < end; symbols += 4)
                {
                    uint s0 = slots[x0 & 0xFFF], s1 = slots[x1 & 0xFFF], s2 = slots[x2 & 0xFFF], s3 = slots[x3 & 0xFFF];
                    symbols[0] = (byte)s0;
                    symbols[1] = (byte)s1;
                    symbols[2] = (byte)s2;
                    symbols[3] = (byte)s3;
                    counts[(byte)s0]++;
                    counts[GapModels.SymbolsMax + (byte)s1]++;
                    counts[(2 * GapModels.SymbolsMax) + (byte)s2]++;
                    counts[(3 * GapModels.SymbolsMax) + (byte)s3]++;
                    x0 = ((s0 >> 20) * (x0 >> 12)) + ((s0 >> 8) & 0xFFF);
                    x1 = ((s1 >> 20) * (x1 >> 12)) + ((s1 >> 8) & 0xFFF);
                    x2 = ((s2 >> 20) * (x2 >> 12)) + ((s2 >> 8) & 0xFFF);
                    x3 = ((s3 >> 20) * (x3 >> 12)) + ((s3 >> 8) & 0xFFF);
                    var more = Missing(x0);
                    x0 = (x0 << more) | Word(words, more);
                    words -= more >> 3;
                    more = Missing(x1);
                    x1 = (x1 << more) | Word(words, more);
                    words -= more >> 3;
                    more = Missing(x2);
                    x2 = (x2 << more) | Word(words, more);
                    words -= more >> 3;
                    more = Missing(x3);
                    x3 = (x3 << more) | Word(words, more);
                    words -= more >> 3;
                }

                // The rest of a chunk of which no multiple of four is sent: at most three, of the first three states.
                for (var i = 0; i < (count & 3); i++)
                {
                    var x = i switch { 0 => x0, 1 => x1, _ => x2 };
                    var slot = slots[x & 0xFFF];
                    symbols[i] = (byte)slot;
                    counts[(byte)slot]++;
                    x = ((slot >> 20) * (x >> 12)) + ((slot >> 8) & 0xFFF);
                    var more = Missing(x);
                    x = (x << more) | Word(words, more);
                    words -= more >> 3;
                    (x0, x1, x2) = i switch { 0 => (x, x1, x2), 1 => (x0, x, x2), _ => (x0, x1, x) };
                }
            }
        }

        (_x0, _x1, _x2, _x3) = (x0, x1, x2, x3);
        _words = words;
    }

    // 16 if x has fallen below 2^16, where states live, else 0: never below 16, so that its leading zeros are fewer than 32.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Missing(uint x) => BitOperations.LeadingZeroCount(x) & 16;

    // The word before the cursor, or 0 if no bits of it are wanted.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Word(byte* words, int bits) =>
        Bmi2.IsSupported ? Bmi2.ZeroHighBits(Little.UInt32(words - 2), (uint)bits) : Little.UInt32(words - 2) & ((1U << bits) - 1);

    // Eight values at a time while their gaps are all below 256, as nearly all are: then each has as many bits after its symbol, code and three of the gap.
    private int ReadPlaces(byte* symbols, ushort* indices, byte* codes, int count)
    {
        var (i, bits, last) = (0, _bits, Vector128<ushort>.AllBitsSet);
        var (codeBits, sizeBit) = (_rawCodeBits, _sizes - 1);
        var (spread, codeMask, sizeMask) = (((8UL << codeBits) - 1) * EachByte, ((1UL << codeBits) - 1) * EachByte, (ulong)sizeBit * EachByte);
        for (; i + 8 <= count; i += 8)
        {
            var eight = Little.UInt64(symbols + i);
            if ((eight & _largeSymbols) != 0)
            {
                _bits = bits;
                var place = ReadEach(symbols, indices, codes, i, i + 8, (short)last.ToScalar());
                if (place >= TopK.ChunkMax)
                {
                    return place;
                }

                (bits, last) = (_bits, Vector128.Create((ushort)place));
                continue;
            }

            var raw = Little.UInt64(_begin + (bits >> 3)) >> (int)(bits & 7);
            bits += 8 * (codeBits + 3);
            var each = Bmi2.X64.IsSupported ? Bmi2.X64.ParallelBitDeposit(raw, spread) : codeBits == 1 ? Nibbles((uint)raw) : FiveBits(raw);
            *(ulong*)(codes + i) = ((each & codeMask) << sizeBit) | (eight & sizeMask);
            var small = ((eight & ~sizeMask) << (3 - sizeBit)) | ((each >> codeBits) & (7 * EachByte));
            var places = Vector128.WidenLower(Vector128.CreateScalar(small).AsByte()) + Vector128<ushort>.One;
            places += Vector128.Shuffle(places, Vector128.Create(0xFFFF, 0, 1, 2, 3, 4, 5, 6));
            places += Vector128.Shuffle(places, Vector128.Create(0xFFFF, 0xFFFF, 0, 1, 2, 3, 4, 5));
            places += Vector128.Shuffle(places, Vector128.Create(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0, 1, 2, 3));
            places += last;
            places.Store(indices + i);
            last = Vector128.Shuffle(places, Vector128.Create((ushort)7));
        }

        _bits = bits;
        return ReadEach(symbols, indices, codes, i, count, (short)last.ToScalar());
    }

    private int ReadEach(byte* symbols, ushort* indices, byte* codes, int i, int end, int place)
    {
        var (bits, codeBits, sizeBit) = (_bits, _rawCodeBits, (uint)_sizes - 1);
        var codeMask = (1UL << codeBits) - 1;
        fixed (uint* table = _models.Reading)
        {
            while (i < end)
            {
                // One word holds what four values take: at most 4 · 13 of its 57 bits.
                var raw = Little.UInt64(_begin + (bits >> 3)) >> (int)(bits & 7);
                for (var four = Math.Min(i + 4, end); i < four; i++)
                {
                    uint symbol = symbols[i];
                    var entry = table[symbol];
                    codes[i] = (byte)(((uint)(raw & codeMask) << (int)sizeBit) | (symbol & sizeBit));
                    place += (int)((entry >> 16) + ((uint)(raw >> codeBits) & entry & 0xFFF));
                    indices[i] = (ushort)place;
                    var taken = (int)(entry >> 12) & 15;
                    raw >>= taken;
                    bits += taken;
                }
            }
        }

        _bits = bits;
        return place;
    }

    // Four bits to each of eight bytes.
    private static ulong Nibbles(ulong word)
    {
        word = (word | (word << 16)) & 0x0000_FFFF_0000_FFFF;
        word = (word | (word << 8)) & 0x00FF_00FF_00FF_00FF;
        return (word | (word << 4)) & (0x0F * EachByte);
    }

    // Five bits to each of eight bytes.
    private static ulong FiveBits(ulong word)
    {
        word = (word & 0xF_FFFF) | ((word & 0xFF_FFF0_0000) << 12);
        word = (word & 0x0000_03FF_0000_03FF) | ((word & 0x000F_FC00_000F_FC00) << 6);
        return (word & 0x001F_001F_001F_001F) | ((word & 0x03E0_03E0_03E0_03E0) << 3);
    }
}
