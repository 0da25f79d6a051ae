using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <summary>Scores and weighted sums over pages, for one query or four together. A score is summed in the order of the head's numbers, an output in the order of
/// the tokens, each in a lane of its own: four together give the bits of one alone.</summary>
internal static unsafe class PagedTiles
{
    /// <summary>Queries that share a reading of keys and values.</summary>
    internal const int Rows = 4;

    private const int Page = KeyValuePages.PageTokens;

    /// <summary>scores[t] = ⟨query, key t⟩ for whole pages.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ScoresOfOne(float* query, float* keys, nint pageFloats, int* pages, int count, int dim, float* scores)
    {
        for (var page = 0; page < count; page += 2)
        {
            var near = keys + (pages[page] * pageFloats);
            // An odd last page is done twice; the scores of the second are written behind the row, where there is room.
            var far = keys + (pages[Math.Min(page + 1, count - 1)] * pageFloats);
            Vector512<float> a = default, b = default;
            for (var e = 0; e < dim; e++, near += Page, far += Page)
            {
                var q = Vector512.Create(query[e]);
                a = Vector512.FusedMultiplyAdd(q, Vector512.Load(near), a);
                b = Vector512.FusedMultiplyAdd(q, Vector512.Load(far), b);
            }

            a.Store(scores);
            b.Store(scores + Page);
            scores += 2 * Page;
        }
    }

    /// <summary>The same for four queries; <paramref name="queries"/> holds their addresses, scores stand <paramref name="stride"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void ScoresOfFour(float** queries, float* keys, nint pageFloats, int* pages, int count, int dim, float* scores, nint stride)
    {
        float* q0 = queries[0], q1 = queries[1], q2 = queries[2], q3 = queries[3];
        for (var page = 0; page < count; page += 2)
        {
            var near = keys + (pages[page] * pageFloats);
            var far = keys + (pages[Math.Min(page + 1, count - 1)] * pageFloats);
            Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
            Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
            for (var e = 0; e < dim; e++, near += Page, far += Page)
            {
                var (k, l) = (Vector512.Load(near), Vector512.Load(far));
                var q = Vector512.Create(q0[e]);
                a0 = Vector512.FusedMultiplyAdd(q, k, a0);
                b0 = Vector512.FusedMultiplyAdd(q, l, b0);
                q = Vector512.Create(q1[e]);
                a1 = Vector512.FusedMultiplyAdd(q, k, a1);
                b1 = Vector512.FusedMultiplyAdd(q, l, b1);
                q = Vector512.Create(q2[e]);
                a2 = Vector512.FusedMultiplyAdd(q, k, a2);
                b2 = Vector512.FusedMultiplyAdd(q, l, b2);
                q = Vector512.Create(q3[e]);
                a3 = Vector512.FusedMultiplyAdd(q, k, a3);
                b3 = Vector512.FusedMultiplyAdd(q, l, b3);
            }

            a0.Store(scores);
            b0.Store(scores + Page);
            a1.Store(scores + stride);
            b1.Store(scores + stride + Page);
            a2.Store(scores + (2 * stride));
            b2.Store(scores + (2 * stride) + Page);
            a3.Store(scores + (3 * stride));
            b3.Store(scores + (3 * stride) + Page);
            scores += 2 * Page;
        }
    }

    /// <summary>sums[0…31] = Σ over tokens of share · value, of 32 numbers of a head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void SumsOfOne(float* shares, float* values, nint pageFloats, int* pages, int tokens, nint width, float* sums)
    {
        Vector512<float> low = default, high = default;
        for (; tokens > 0; tokens -= Page, pages++)
        {
            var value = values + (*pages * pageFloats);
            for (var left = Math.Min(tokens, Page); left > 0; left--, value += width)
            {
                var share = Vector512.Create(*shares++);
                low = Vector512.FusedMultiplyAdd(share, Vector512.Load(value), low);
                high = Vector512.FusedMultiplyAdd(share, Vector512.Load(value + Lanes.Count), high);
            }
        }

        low.Store(sums);
        high.Store(sums + Lanes.Count);
    }

    /// <summary>The same for four rows of shares, <paramref name="stride"/> apart; sums stand <paramref name="width"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void SumsOfFour(float* shares, nint stride, float* values, nint pageFloats, int* pages, int tokens, nint width, float* sums)
    {
        Vector512<float> l0 = default, l1 = default, l2 = default, l3 = default;
        Vector512<float> h0 = default, h1 = default, h2 = default, h3 = default;
        for (; tokens > 0; tokens -= Page, pages++)
        {
            var value = values + (*pages * pageFloats);
            for (var left = Math.Min(tokens, Page); left > 0; left--, value += width, shares++)
            {
                var (low, high) = (Vector512.Load(value), Vector512.Load(value + Lanes.Count));
                var share = Vector512.Create(shares[0]);
                l0 = Vector512.FusedMultiplyAdd(share, low, l0);
                h0 = Vector512.FusedMultiplyAdd(share, high, h0);
                share = Vector512.Create(shares[stride]);
                l1 = Vector512.FusedMultiplyAdd(share, low, l1);
                h1 = Vector512.FusedMultiplyAdd(share, high, h1);
                share = Vector512.Create(shares[2 * stride]);
                l2 = Vector512.FusedMultiplyAdd(share, low, l2);
                h2 = Vector512.FusedMultiplyAdd(share, high, h2);
                share = Vector512.Create(shares[3 * stride]);
                l3 = Vector512.FusedMultiplyAdd(share, low, l3);
                h3 = Vector512.FusedMultiplyAdd(share, high, h3);
            }
        }

        l0.Store(sums);
        h0.Store(sums + Lanes.Count);
        l1.Store(sums + width);
        h1.Store(sums + width + Lanes.Count);
        l2.Store(sums + (2 * width));
        h2.Store(sums + (2 * width) + Lanes.Count);
        l3.Store(sums + (3 * width));
        h3.Store(sums + (3 * width) + Lanes.Count);
    }
}
