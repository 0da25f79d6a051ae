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
    // could foretell. Written out: the four chains run side by side only if all of it stays in registers.
    private void ReadSymbols(byte* symbols, int count)
    {
        uint x0 = _x0, x1 = _x1, x2 = _x2, x3 = _x3;
        var words = _words;
        fixed (uint* slots = _model.Slots)
        {
            var i = 0;
            for (; i + 4 <= count; i += 4)
            {
                uint s0 = slots[x0 & 0xFFF], s1 = slots[x1 & 0xFFF], s2 = slots[x2 & 0xFFF], s3 = slots[x3 & 0xFFF];
                *(uint*)(symbols + i) = (s0 & 0xFF) | ((s1 & 0xFF) << 8) | ((s2 & 0xFF) << 16) | (s3 << 24);
                x0 = ((((s0 >> 8) & 0xFFF) + 1) * (x0 >> 12)) + (s0 >> 20);
                x1 = ((((s1 >> 8) & 0xFFF) + 1) * (x1 >> 12)) + (s1 >> 20);
                x2 = ((((s2 >> 8) & 0xFFF) + 1) * (x2 >> 12)) + (s2 >> 20);
                x3 = ((((s3 >> 8) & 0xFFF) + 1) * (x3 >> 12)) + (s3 >> 20);
                var below = Below(x0);
                x0 = (x0 << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
                words += 2 * below;
                below = Below(x1);
                x1 = (x1 << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
                words += 2 * below;
                below = Below(x2);
                x2 = (x2 << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
                words += 2 * below;
                below = Below(x3);
                x3 = (x3 << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
                words += 2 * below;
            }

            // The rest of a chunk of which no multiple of four is sent: at most three, of the first three states.
            for (; i < count; i++)
            {
                var x = (i & 3) switch { 0 => x0, 1 => x1, _ => x2 };
                var slot = slots[x & 0xFFF];
                symbols[i] = (byte)slot;
                x = ((((slot >> 8) & 0xFFF) + 1) * (x >> 12)) + (slot >> 20);
                var below = Below(x);
                x = (x << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
                words += 2 * below;
                (x0, x1, x2) = (i & 3) switch { 0 => (x, x1, x2), 1 => (x0, x, x2), _ => (x0, x1, x) };
            }
        }

        (_x0, _x1, _x2, _x3) = (x0, x1, x2, x3);
        _words = words;
    }

    // All ones if x has fallen below where states live, else zero.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long Below(uint x) => ((long)x - RangeEncoder.Lowest) >> 63;

    // Eight values at a time while their gaps are all below 256, as nearly all are: then each has as many bits after its symbol, code and three of the gap.
    [SkipLocalsInit]
    private int ReadPlaces(byte* symbols, ushort* indices, byte* codes, int count)
    {
        var (place, i) = (-1, 0);
        for (; i + 8 <= count && place < TopK.ChunkMax; i += 8)
        {
            var eight = Little.UInt64(symbols + i);
            place = (eight & _largeSymbols) == 0 ? ReadSmallGaps(eight, indices + i, codes + i, place) : ReadEach(symbols, indices, codes, i, i + 8, place);
        }

        Count(symbols, count);
        return place < TopK.ChunkMax ? ReadEach(symbols, indices, codes, i, count, place) : place;
    }

    private int ReadSmallGaps(ulong symbols, ushort* indices, byte* codes, int place)
    {
        var raw = Little.UInt64(_begin + (_bits >> 3)) >> (int)(_bits & 7);
        _bits += 8 * (_rawCodeBits + 3);
        var each = _rawCodeBits == 1 ? Nibbles((uint)raw) : FiveBits(raw);
        var classes = symbols << 3;
        var code = each & (_rawCodeBits == 1 ? EachByte : 3 * EachByte);
        if (_sizes == 2)
        {
            classes = (symbols & (0x3E * EachByte)) << 2;
            code = (code << 1) | (symbols & EachByte);
        }

        *(ulong*)codes = code;
        var gaps = Vector128.WidenLower(Vector128.CreateScalar(classes | ((each >> _rawCodeBits) & (7 * EachByte))).AsByte()) + Vector128<ushort>.One;
        gaps += Vector128.Shuffle(gaps, Vector128.Create(0xFFFF, 0, 1, 2, 3, 4, 5, 6));
        gaps += Vector128.Shuffle(gaps, Vector128.Create(0xFFFF, 0xFFFF, 0, 1, 2, 3, 4, 5));
        gaps += Vector128.Shuffle(gaps, Vector128.Create(0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0, 1, 2, 3));
        (gaps + Vector128.Create((ushort)place)).Store(indices);
        return place + gaps.GetElement(7);
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

    private readonly void Count(byte* symbols, int count)
    {
        fixed (int* histogram = _histogram)
        {
            var i = 0;
            for (; i + 4 <= count; i += 4)
            {
                histogram[symbols[i]]++;
                histogram[GapModels.SymbolsMax + symbols[i + 1]]++;
                histogram[(2 * GapModels.SymbolsMax) + symbols[i + 2]]++;
                histogram[(3 * GapModels.SymbolsMax) + symbols[i + 3]]++;
            }

            for (; i < count; i++)
            {
                histogram[symbols[i]]++;
            }
        }
    }

    // Four bits to each of eight bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Nibbles(ulong word)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitDeposit(word, 0x0F * EachByte);
        }

        word = (word | (word << 16)) & 0x0000_FFFF_0000_FFFF;
        word = (word | (word << 8)) & 0x00FF_00FF_00FF_00FF;
        return (word | (word << 4)) & (0x0F * EachByte);
    }

    // Five bits to each of eight bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FiveBits(ulong word)
    {
        if (Bmi2.X64.IsSupported)
        {
            return Bmi2.X64.ParallelBitDeposit(word, 0x1F * EachByte);
        }

        word = (word & 0xF_FFFF) | ((word & 0xFF_FFF0_0000) << 12);
        word = (word & 0x0000_03FF_0000_03FF) | ((word & 0x000F_FC00_000F_FC00) << 6);
        return (word & 0x001F_001F_001F_001F) | ((word & 0x03E0_03E0_03E0_03E0) << 3);
    }
}
