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
        if (!TopK.IsFinite(GroupMaxima(x, length, maxima)))
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

    // Four vectors of groups at a time, so that they stay in registers. Gives the largest of all.
    private static int GroupMaxima(int* x, int length, int* maxima)
    {
        var mask = Vector256.Create(TopK.AbsoluteMask);
        var largest = Vector256<int>.Zero;
        for (var j = 0; j < TopK.Groups; j += 4 * Lanes)
        {
            var (a, b, c, d) = (Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero, Vector256<int>.Zero);
            for (var i = j; i < length; i += TopK.Groups)
            {
                a = Vector256.Max(a, Vector256.Load(x + i) & mask);
                b = Vector256.Max(b, Vector256.Load(x + i + 8) & mask);
                c = Vector256.Max(c, Vector256.Load(x + i + 16) & mask);
                d = Vector256.Max(d, Vector256.Load(x + i + 24) & mask);
            }

            a.Store(maxima + j);
            b.Store(maxima + j + 8);
            c.Store(maxima + j + 16);
            d.Store(maxima + j + 24);
            largest = Vector256.Max(Vector256.Max(largest, Vector256.Max(a, b)), Vector256.Max(c, d));
        }

        var found = 0;
        for (var lane = 0; lane < Lanes; lane++)
        {
            found = Math.Max(found, largest.GetElement(lane));
        }

        return found;
    }

    /// <summary>The largest number with the bits tried that at least <paramref name="keep"/> keys reach; never below <paramref
    /// name="floor"/>. If exactly so many reach a number tried, that one: lower bits would change nothing.</summary>
    private static int SearchBits(int* keys, int count, int keep, int firstBit, int lastBit, int floor)
    {
        var found = 0;
        for (var bit = firstBit; bit >= lastBit; bit--)
        {
            var candidate = found | (1 << bit);
            if (candidate <= floor)
            {
                found = candidate;
                continue;
            }

            var reached = CountAtLeast(keys, count, candidate);
            if (reached >= keep)
            {
                found = candidate;
                if (reached == keep)
                {
                    break;
                }
            }
        }

        return found;
    }

    private static int CountAtLeast(int* keys, int count, int threshold)
    {
        // A comparison gives −1 where it holds.
        var bar = Vector256.Create(threshold - 1);
        var total = Vector256<int>.Zero;
        for (var i = 0; i < count; i += Lanes)
        {
            total -= Vector256.GreaterThan(Vector256.Load(keys + i), bar);
        }

        return Vector256.Sum(total);
    }

    // 32 elements at a time: two of three such have no candidate.
    private static int Collect(int* x, int length, int floor, int* keys, int* places)
    {
        var mask = Vector256.Create(TopK.AbsoluteMask);
        var bar = Vector256.Create(floor - 1);
        var count = 0;
        for (var i = 0; i < length; i += 4 * Lanes)
        {
            var hits = Vector256.GreaterThan(Vector256.Load(x + i) & mask, bar).ExtractMostSignificantBits()
                | (Vector256.GreaterThan(Vector256.Load(x + i + 8) & mask, bar).ExtractMostSignificantBits() << 8)
                | (Vector256.GreaterThan(Vector256.Load(x + i + 16) & mask, bar).ExtractMostSignificantBits() << 16)
                | (Vector256.GreaterThan(Vector256.Load(x + i + 24) & mask, bar).ExtractMostSignificantBits() << 24);
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
