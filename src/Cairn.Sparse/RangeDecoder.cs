using System.Runtime.CompilerServices;
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

    private readonly GapModel _model;
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
    /// <param name="model">The section's table.</param>
    /// <param name="sizes">As in <see cref="GapModels"/>.</param>
    /// <param name="rawCodeBits">Bits of a code beside its size.</param>
    /// <param name="histogram">Counts the symbols that are read.</param>
    public RangeDecoder(byte* begin, int length, GapModel model, int sizes, int rawCodeBits, Span<int> histogram)
    {
        Invariant.Check(length >= RangeEncoder.StateBytes);
        (_model, _sizes, _rawCodeBits) = (model, sizes, rawCodeBits);
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
        fixed (uint* slots = _model.Slots)
        {
            ReadSymbols(slots, symbols, indices.Length);
        }

        if (_begin + (_bits >> 3) > _words)
        {
            return false;
        }

        fixed (int* histogram = _histogram)
        {
            for (var i = 0; i < indices.Length; i++)
            {
                histogram[symbols[i]]++;
            }
        }

        fixed (ushort* places = indices)
        {
            fixed (byte* own = codes)
            {
                return ReadPlaces(symbols, places, own, indices.Length) < length && _begin + ((_bits + 7) >> 3) <= _words;
            }
        }
    }

    // x ← f · ⌊x / 4096⌋ + (x mod 4096) − start for each of the states in turn.
    private void ReadSymbols(uint* slots, byte* symbols, int count)
    {
        var (x0, x1, x2, x3) = (_x0, _x1, _x2, _x3);
        var words = _words;
        var i = 0;
        for (; i + 4 <= count; i += 4)
        {
            var (s0, s1, s2, s3) = (slots[x0 & 0xFFF], slots[x1 & 0xFFF], slots[x2 & 0xFFF], slots[x3 & 0xFFF]);
            *(uint*)(symbols + i) = (s0 & 0xFF) | ((s1 & 0xFF) << 8) | ((s2 & 0xFF) << 16) | (s3 << 24);
            x0 = Filled(Stepped(x0, s0), ref words);
            x1 = Filled(Stepped(x1, s1), ref words);
            x2 = Filled(Stepped(x2, s2), ref words);
            x3 = Filled(Stepped(x3, s3), ref words);
        }

        // The rest of a chunk of which no multiple of four is sent.
        for (; i < count; i++)
        {
            ref var x = ref (i & 3) == 0 ? ref x0 : ref (i & 3) == 1 ? ref x1 : ref x2;
            var slot = slots[x & 0xFFF];
            symbols[i] = (byte)slot;
            x = Filled(Stepped(x, slot), ref words);
        }

        (_x0, _x1, _x2, _x3) = (x0, x1, x2, x3);
        _words = words;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Stepped(uint x, uint slot) => ((((slot >> 8) & 0xFFF) + 1) * (x >> GapModels.ScaleBits)) + (slot >> 20);

    // A word more if x is below 2^16; without a branch, which nobody could foretell.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Filled(uint x, ref byte* words)
    {
        var below = ((long)x - RangeEncoder.Lowest) >> 63;
        x = (x << (int)(below & 16)) | ((uint)below & Little.UInt16(words - 2));
        words += 2 * below;
        return x;
    }

    private int ReadPlaces(byte* symbols, ushort* indices, byte* codes, int count)
    {
        var (place, bits, shape) = (-1, _bits, new RawShape(_rawCodeBits, _sizes - 1));
        fixed (uint* table = GapClasses.Table)
        {
            var i = 0;
            for (; i + 4 <= count; i += 4)
            {
                // One word holds what four values take: at most 4 · 13 of its 57 bits.
                var raw = Little.UInt64(_begin + (bits >> 3)) >> (int)(bits & 7);
                place = shape.Take(table, symbols[i], ref raw, ref bits, place, codes + i);
                indices[i] = (ushort)place;
                place = shape.Take(table, symbols[i + 1], ref raw, ref bits, place, codes + i + 1);
                indices[i + 1] = (ushort)place;
                place = shape.Take(table, symbols[i + 2], ref raw, ref bits, place, codes + i + 2);
                indices[i + 2] = (ushort)place;
                place = shape.Take(table, symbols[i + 3], ref raw, ref bits, place, codes + i + 3);
                indices[i + 3] = (ushort)place;
            }

            for (; i < count; i++)
            {
                var raw = Little.UInt64(_begin + (bits >> 3)) >> (int)(bits & 7);
                place = shape.Take(table, symbols[i], ref raw, ref bits, place, codes + i);
                indices[i] = (ushort)place;
            }
        }

        _bits = bits;
        return place;
    }

    /// <summary>How the bits beside the symbols stand: those of the code first, then the low ones of the gap.</summary>
    private readonly struct RawShape(int codeBits, int sizeBit)
    {
        private readonly int _codeBits = codeBits;
        private readonly int _sizeBit = sizeBit;
        private readonly uint _codeMask = (1U << codeBits) - 1;

        /// <summary>Takes one value; gives its place.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Take(uint* table, uint symbol, ref ulong raw, ref long bits, int previous, byte* code)
        {
            var gapClass = table[symbol >> _sizeBit];
            *code = (byte)((((uint)raw & _codeMask) << _sizeBit) | (symbol & (uint)_sizeBit));
            var low = (uint)(raw >> _codeBits) & (gapClass & 0xFFF);
            var taken = _codeBits + ((int)(gapClass >> 12) & 15);
            raw >>= taken;
            bits += taken;
            return previous + 1 + (int)((gapClass >> 16) + low);
        }
    }
}

/// <summary>What a class of gaps needs in reading: first gap (from bit 16), low bits (from bit 12), their mask.</summary>
internal static class GapClasses
{
    public static readonly uint[] Table =
    [
        .. Enumerable.Range(0, GapModels.Classes).Select(c =>
            ((uint)GapModels.FirstOf(c) << 16) | ((uint)GapModels.BitsOf(c) << 12) | ((1U << GapModels.BitsOf(c)) - 1)),
    ];
}
