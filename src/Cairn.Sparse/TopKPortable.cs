using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Sparse;

/// <summary><see cref="TopK"/> in 256-bit vectors, which every machine has or imitates.</summary>
internal static unsafe class TopKPortable
{
    private const int Lanes = 8;

    [SkipLocalsInit]
    public static bool Select(int* x, int length, ushort* indices, int keep)
    {
        var maxima = stackalloc int[TopK.Groups];
        GroupMaxima(x, length, maxima);
        var largest = 0;
        for (var i = 0; i < TopK.Groups; i++)
        {
            largest = Math.Max(largest, maxima[i]);
        }

        if (!TopK.IsFinite(largest))
        {
            return false;
        }

        var (first, last) = TopK.ThresholdBits;
        var floor = SearchBits(maxima, TopK.Groups, keep, first, last, 0);
        var keys = stackalloc int[TopK.ChunkMax + Lanes];
        var places = stackalloc int[TopK.ChunkMax + Lanes];
        var count = Collect(x, length, floor, keys, places);
        var padded = (count + Lanes - 1) / Lanes * Lanes;
        new Span<int>(keys + count, padded - count).Fill(-1);
        var kth = SearchBits(keys, padded, keep, first, 0, floor);
        var above = CountAtLeast(keys, padded, kth + 1);
        TopK.Emit(keys, places, count, kth, above, indices, keep);
        return true;
    }

    private static void GroupMaxima(int* x, int length, int* maxima)
    {
        var mask = Vector256.Create(TopK.AbsoluteMask);
        new Span<int>(maxima, TopK.Groups).Clear();
        for (var i = 0; i < length; i += TopK.Groups)
        {
            for (var j = 0; j < TopK.Groups; j += Lanes)
            {
                Vector256.Max(Vector256.Load(maxima + j), Vector256.Load(x + i + j) & mask).Store(maxima + j);
            }
        }
    }

    /// <summary>The largest number with the bits tried that at least <paramref name="keep"/> keys reach; never below <paramref
    /// name="floor"/>.</summary>
    private static int SearchBits(int* keys, int count, int keep, int firstBit, int lastBit, int floor)
    {
        var found = 0;
        for (var bit = firstBit; bit >= lastBit; bit--)
        {
            var candidate = found | (1 << bit);
            if (candidate <= floor || CountAtLeast(keys, count, candidate) >= keep)
            {
                found = candidate;
            }
        }

        return found;
    }

    private static int CountAtLeast(int* keys, int count, int threshold)
    {
        var bar = Vector256.Create(threshold);
        var total = 0;
        for (var i = 0; i < count; i += Lanes)
        {
            total += BitOperations.PopCount(Vector256.GreaterThanOrEqual(Vector256.Load(keys + i), bar).ExtractMostSignificantBits());
        }

        return total;
    }

    private static int Collect(int* x, int length, int floor, int* keys, int* places)
    {
        var mask = Vector256.Create(TopK.AbsoluteMask);
        var bar = Vector256.Create(floor);
        var count = 0;
        for (var i = 0; i < length; i += Lanes)
        {
            var hits = Vector256.GreaterThanOrEqual(Vector256.Load(x + i) & mask, bar).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                var place = i + BitOperations.TrailingZeroCount(hits);
                keys[count] = x[place] & TopK.AbsoluteMask;
                places[count++] = place;
            }
        }

        return count;
    }
}
