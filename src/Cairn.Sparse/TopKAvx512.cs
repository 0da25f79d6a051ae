using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Sparse;

/// <summary><see cref="TopK"/> with 512-bit vectors and compression: the 128 group maxima and up to 128 candidates stay in eight registers.</summary>
internal static unsafe class TopKAvx512
{
    private const int Lanes = 16;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool Select(int* x, int length, ushort* indices, int keep)
    {
        var floor = Floor(x, length, keep);
        if (floor < 0)
        {
            return false;
        }

        // One vector of slack after the last candidate, and up to eight vectors of fill.
        var keys = stackalloc int[TopK.ChunkMax + (8 * Lanes)];
        var places = stackalloc int[TopK.ChunkMax + (8 * Lanes)];
        var count = Collect(x, length, floor, keys, places);
        var vectors = Math.Max(8, (count + Lanes - 1) / Lanes);
        for (var i = count; i < vectors * Lanes; i += Lanes)
        {
            Vector512.Create(-1).Store(keys + i);
        }

        var kth = vectors == 8 ? KthOfEight(keys, keep, floor) : KthOfMany(keys, vectors, keep, floor);
        Emit(keys, places, count, vectors, kth, indices, keep);
        return true;
    }

    /// <summary>A number that at least <paramref name="keep"/> elements reach, or −1 if one of them is not finite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Floor(int* x, int length, int keep)
    {
        var mask = Vector512.Create(TopK.AbsoluteMask);
        Vector512<int> m0 = default, m1 = default, m2 = default, m3 = default, m4 = default, m5 = default, m6 = default, m7 = default;
        for (var i = 0; i < length; i += TopK.Groups)
        {
            m0 = Vector512.Max(m0, Vector512.Load(x + i) & mask);
            m1 = Vector512.Max(m1, Vector512.Load(x + i + 16) & mask);
            m2 = Vector512.Max(m2, Vector512.Load(x + i + 32) & mask);
            m3 = Vector512.Max(m3, Vector512.Load(x + i + 48) & mask);
            m4 = Vector512.Max(m4, Vector512.Load(x + i + 64) & mask);
            m5 = Vector512.Max(m5, Vector512.Load(x + i + 80) & mask);
            m6 = Vector512.Max(m6, Vector512.Load(x + i + 96) & mask);
            m7 = Vector512.Max(m7, Vector512.Load(x + i + 112) & mask);
        }

        var (first, last) = TopK.ThresholdBits;
        if (CountAtLeast(m0, m1, m2, m3, m4, m5, m6, m7, 0x7F80_0000) > 0)
        {
            return -1;
        }

        var floor = 0;
        for (var bit = first; bit >= last; bit--)
        {
            var candidate = floor | (1 << bit);
            floor = CountAtLeast(m0, m1, m2, m3, m4, m5, m6, m7, candidate) >= keep ? candidate : floor;
        }

        return floor;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Collect(int* x, int length, int floor, int* keys, int* places)
    {
        var mask = Vector512.Create(TopK.AbsoluteMask);
        var bar = Vector512.Create(floor);
        var place = Vector512<int>.Indices;
        var step = Vector512.Create(Lanes);
        var count = 0;
        for (var i = 0; i < length; i += Lanes)
        {
            var key = Vector512.Load(x + i) & mask;
            var hit = Vector512.GreaterThanOrEqual(key, bar);
            // Compressed in a register and stored whole: a compressing store is slow on some processors.
            Avx512F.Compress(Vector512<int>.Zero, hit, key).Store(keys + count);
            Avx512F.Compress(Vector512<int>.Zero, hit, place).Store(places + count);
            count += BitOperations.PopCount(hit.ExtractMostSignificantBits());
            place += step;
        }

        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int KthOfEight(int* keys, int keep, int floor)
    {
        var (k0, k1, k2, k3) = (Vector512.Load(keys), Vector512.Load(keys + 16), Vector512.Load(keys + 32), Vector512.Load(keys + 48));
        var (k4, k5, k6, k7) = (Vector512.Load(keys + 64), Vector512.Load(keys + 80), Vector512.Load(keys + 96), Vector512.Load(keys + 112));
        var found = 0;
        for (var bit = TopK.ThresholdBits.First; bit >= 0; bit--)
        {
            var candidate = found | (1 << bit);
            if (candidate <= floor)
            {
                found = candidate;
                continue;
            }

            var n = CountAtLeast(k0, k1, k2, k3, k4, k5, k6, k7, candidate);
            if (n >= keep)
            {
                found = candidate;
                if (n == keep)
                {
                    break; // Exactly these: lower bits of the threshold change nothing.
                }
            }
        }

        return found;
    }

    private static int KthOfMany(int* keys, int vectors, int keep, int floor)
    {
        var found = 0;
        for (var bit = TopK.ThresholdBits.First; bit >= 0; bit--)
        {
            var candidate = found | (1 << bit);
            if (candidate <= floor || CountAtLeast(keys, vectors, candidate) >= keep)
            {
                found = candidate;
            }
        }

        return found;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Emit(int* keys, int* places, int count, int vectors, int kth, ushort* indices, int keep)
    {
        if (CountAtLeast(keys, vectors, kth) != keep)
        {
            TopK.Emit(keys, places, count, kth, CountAtLeast(keys, vectors, kth + 1), indices, keep);
            return;
        }

        var buffer = stackalloc ushort[TopK.KeepMax + (2 * Lanes)];
        var bar = Vector512.Create(kth);
        var at = 0;
        for (var i = 0; i < vectors * Lanes; i += Lanes)
        {
            var hit = Vector512.GreaterThanOrEqual(Vector512.Load(keys + i), bar);
            var kept = Avx512F.Compress(Vector512<int>.Zero, hit, Vector512.Load(places + i));
            Avx512F.ConvertToVector256UInt16(kept.AsUInt32()).Store(buffer + at);
            at += BitOperations.PopCount(hit.ExtractMostSignificantBits());
        }

        new ReadOnlySpan<ushort>(buffer, keep).CopyTo(new Span<ushort>(indices, keep));
    }

    private static int CountAtLeast(int* keys, int vectors, int threshold)
    {
        var bar = Vector512.Create(threshold);
        var total = 0;
        for (var i = 0; i < vectors; i++)
        {
            total += BitOperations.PopCount(Vector512.GreaterThanOrEqual(Vector512.Load(keys + (i * Lanes)), bar).ExtractMostSignificantBits());
        }

        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int CountAtLeast(
        Vector512<int> a, Vector512<int> b, Vector512<int> c, Vector512<int> d,
        Vector512<int> e, Vector512<int> f, Vector512<int> g, Vector512<int> h, int threshold)
    {
        var bar = Vector512.Create(threshold);
        var low = Hits(a, bar) | (Hits(b, bar) << 16) | (Hits(c, bar) << 32) | (Hits(d, bar) << 48);
        var high = Hits(e, bar) | (Hits(f, bar) << 16) | (Hits(g, bar) << 32) | (Hits(h, bar) << 48);
        return BitOperations.PopCount(low) + BitOperations.PopCount(high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Hits(Vector512<int> keys, Vector512<int> bar) => Vector512.GreaterThanOrEqual(keys, bar).ExtractMostSignificantBits();
}
