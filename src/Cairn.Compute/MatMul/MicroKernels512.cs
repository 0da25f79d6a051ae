// Written by tools/GenerateMicroKernels.cs: change the generator, not this file.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Micro-kernels over Vector512: a tile of C, two vectors wide, held in registers over the whole run of k.</summary>
internal static unsafe class MicroKernels512
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows12(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 12);
        var c0L = Vector512<float>.Zero;
        var c0H = Vector512<float>.Zero;
        var c1L = Vector512<float>.Zero;
        var c1H = Vector512<float>.Zero;
        var c2L = Vector512<float>.Zero;
        var c2H = Vector512<float>.Zero;
        var c3L = Vector512<float>.Zero;
        var c3H = Vector512<float>.Zero;
        var c4L = Vector512<float>.Zero;
        var c4H = Vector512<float>.Zero;
        var c5L = Vector512<float>.Zero;
        var c5H = Vector512<float>.Zero;
        var c6L = Vector512<float>.Zero;
        var c6H = Vector512<float>.Zero;
        var c7L = Vector512<float>.Zero;
        var c7H = Vector512<float>.Zero;
        var c8L = Vector512<float>.Zero;
        var c8H = Vector512<float>.Zero;
        var c9L = Vector512<float>.Zero;
        var c9H = Vector512<float>.Zero;
        var c10L = Vector512<float>.Zero;
        var c10H = Vector512<float>.Zero;
        var c11L = Vector512<float>.Zero;
        var c11H = Vector512<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        var a3 = a0 + (3 * aRow);
        var a6 = a3 + (3 * aRow);
        var a9 = a6 + (3 * aRow);
        for (; k > 0; k--)
        {
            var bL = Vector512.Load(b);
            var bH = Vector512.Load(b + 16);
            b += bStep;
            var x = Vector512.Create(*(float*)(a0));
            c0L = Vector512.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector512.FusedMultiplyAdd(x, bH, c0H);
            x = Vector512.Create(*(float*)(a0 + aRow));
            c1L = Vector512.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector512.FusedMultiplyAdd(x, bH, c1H);
            x = Vector512.Create(*(float*)(a0 + (2 * aRow)));
            c2L = Vector512.FusedMultiplyAdd(x, bL, c2L);
            c2H = Vector512.FusedMultiplyAdd(x, bH, c2H);
            x = Vector512.Create(*(float*)(a3));
            c3L = Vector512.FusedMultiplyAdd(x, bL, c3L);
            c3H = Vector512.FusedMultiplyAdd(x, bH, c3H);
            x = Vector512.Create(*(float*)(a3 + aRow));
            c4L = Vector512.FusedMultiplyAdd(x, bL, c4L);
            c4H = Vector512.FusedMultiplyAdd(x, bH, c4H);
            x = Vector512.Create(*(float*)(a3 + (2 * aRow)));
            c5L = Vector512.FusedMultiplyAdd(x, bL, c5L);
            c5H = Vector512.FusedMultiplyAdd(x, bH, c5H);
            x = Vector512.Create(*(float*)(a6));
            c6L = Vector512.FusedMultiplyAdd(x, bL, c6L);
            c6H = Vector512.FusedMultiplyAdd(x, bH, c6H);
            x = Vector512.Create(*(float*)(a6 + aRow));
            c7L = Vector512.FusedMultiplyAdd(x, bL, c7L);
            c7H = Vector512.FusedMultiplyAdd(x, bH, c7H);
            x = Vector512.Create(*(float*)(a6 + (2 * aRow)));
            c8L = Vector512.FusedMultiplyAdd(x, bL, c8L);
            c8H = Vector512.FusedMultiplyAdd(x, bH, c8H);
            x = Vector512.Create(*(float*)(a9));
            c9L = Vector512.FusedMultiplyAdd(x, bL, c9L);
            c9H = Vector512.FusedMultiplyAdd(x, bH, c9H);
            x = Vector512.Create(*(float*)(a9 + aRow));
            c10L = Vector512.FusedMultiplyAdd(x, bL, c10L);
            c10H = Vector512.FusedMultiplyAdd(x, bH, c10H);
            x = Vector512.Create(*(float*)(a9 + (2 * aRow)));
            c11L = Vector512.FusedMultiplyAdd(x, bL, c11L);
            c11H = Vector512.FusedMultiplyAdd(x, bH, c11H);
            a0 += aStep;
            a3 += aStep;
            a6 += aStep;
            a9 += aStep;
        }

        if (accumulate)
        {
            Add(c, c0L, c0H);
            Add(c + (1 * cRow), c1L, c1H);
            Add(c + (2 * cRow), c2L, c2H);
            Add(c + (3 * cRow), c3L, c3H);
            Add(c + (4 * cRow), c4L, c4H);
            Add(c + (5 * cRow), c5L, c5H);
            Add(c + (6 * cRow), c6L, c6H);
            Add(c + (7 * cRow), c7L, c7H);
            Add(c + (8 * cRow), c8L, c8H);
            Add(c + (9 * cRow), c9L, c9H);
            Add(c + (10 * cRow), c10L, c10H);
            Add(c + (11 * cRow), c11L, c11H);
            return;
        }

        Store(c, c0L, c0H);
        Store(c + (1 * cRow), c1L, c1H);
        Store(c + (2 * cRow), c2L, c2H);
        Store(c + (3 * cRow), c3L, c3H);
        Store(c + (4 * cRow), c4L, c4H);
        Store(c + (5 * cRow), c5L, c5H);
        Store(c + (6 * cRow), c6L, c6H);
        Store(c + (7 * cRow), c7L, c7H);
        Store(c + (8 * cRow), c8L, c8H);
        Store(c + (9 * cRow), c9L, c9H);
        Store(c + (10 * cRow), c10L, c10H);
        Store(c + (11 * cRow), c11L, c11H);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows8(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 8);
        var c0L = Vector512<float>.Zero;
        var c0H = Vector512<float>.Zero;
        var c1L = Vector512<float>.Zero;
        var c1H = Vector512<float>.Zero;
        var c2L = Vector512<float>.Zero;
        var c2H = Vector512<float>.Zero;
        var c3L = Vector512<float>.Zero;
        var c3H = Vector512<float>.Zero;
        var c4L = Vector512<float>.Zero;
        var c4H = Vector512<float>.Zero;
        var c5L = Vector512<float>.Zero;
        var c5H = Vector512<float>.Zero;
        var c6L = Vector512<float>.Zero;
        var c6H = Vector512<float>.Zero;
        var c7L = Vector512<float>.Zero;
        var c7H = Vector512<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        var a3 = a0 + (3 * aRow);
        var a6 = a3 + (3 * aRow);
        for (; k > 0; k--)
        {
            var bL = Vector512.Load(b);
            var bH = Vector512.Load(b + 16);
            b += bStep;
            var x = Vector512.Create(*(float*)(a0));
            c0L = Vector512.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector512.FusedMultiplyAdd(x, bH, c0H);
            x = Vector512.Create(*(float*)(a0 + aRow));
            c1L = Vector512.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector512.FusedMultiplyAdd(x, bH, c1H);
            x = Vector512.Create(*(float*)(a0 + (2 * aRow)));
            c2L = Vector512.FusedMultiplyAdd(x, bL, c2L);
            c2H = Vector512.FusedMultiplyAdd(x, bH, c2H);
            x = Vector512.Create(*(float*)(a3));
            c3L = Vector512.FusedMultiplyAdd(x, bL, c3L);
            c3H = Vector512.FusedMultiplyAdd(x, bH, c3H);
            x = Vector512.Create(*(float*)(a3 + aRow));
            c4L = Vector512.FusedMultiplyAdd(x, bL, c4L);
            c4H = Vector512.FusedMultiplyAdd(x, bH, c4H);
            x = Vector512.Create(*(float*)(a3 + (2 * aRow)));
            c5L = Vector512.FusedMultiplyAdd(x, bL, c5L);
            c5H = Vector512.FusedMultiplyAdd(x, bH, c5H);
            x = Vector512.Create(*(float*)(a6));
            c6L = Vector512.FusedMultiplyAdd(x, bL, c6L);
            c6H = Vector512.FusedMultiplyAdd(x, bH, c6H);
            x = Vector512.Create(*(float*)(a6 + aRow));
            c7L = Vector512.FusedMultiplyAdd(x, bL, c7L);
            c7H = Vector512.FusedMultiplyAdd(x, bH, c7H);
            a0 += aStep;
            a3 += aStep;
            a6 += aStep;
        }

        if (accumulate)
        {
            Add(c, c0L, c0H);
            Add(c + (1 * cRow), c1L, c1H);
            Add(c + (2 * cRow), c2L, c2H);
            Add(c + (3 * cRow), c3L, c3H);
            Add(c + (4 * cRow), c4L, c4H);
            Add(c + (5 * cRow), c5L, c5H);
            Add(c + (6 * cRow), c6L, c6H);
            Add(c + (7 * cRow), c7L, c7H);
            return;
        }

        Store(c, c0L, c0H);
        Store(c + (1 * cRow), c1L, c1H);
        Store(c + (2 * cRow), c2L, c2H);
        Store(c + (3 * cRow), c3L, c3H);
        Store(c + (4 * cRow), c4L, c4H);
        Store(c + (5 * cRow), c5L, c5H);
        Store(c + (6 * cRow), c6L, c6H);
        Store(c + (7 * cRow), c7L, c7H);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows4(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 4);
        var c0L = Vector512<float>.Zero;
        var c0H = Vector512<float>.Zero;
        var c1L = Vector512<float>.Zero;
        var c1H = Vector512<float>.Zero;
        var c2L = Vector512<float>.Zero;
        var c2H = Vector512<float>.Zero;
        var c3L = Vector512<float>.Zero;
        var c3H = Vector512<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        var a3 = a0 + (3 * aRow);
        for (; k > 0; k--)
        {
            var bL = Vector512.Load(b);
            var bH = Vector512.Load(b + 16);
            b += bStep;
            var x = Vector512.Create(*(float*)(a0));
            c0L = Vector512.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector512.FusedMultiplyAdd(x, bH, c0H);
            x = Vector512.Create(*(float*)(a0 + aRow));
            c1L = Vector512.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector512.FusedMultiplyAdd(x, bH, c1H);
            x = Vector512.Create(*(float*)(a0 + (2 * aRow)));
            c2L = Vector512.FusedMultiplyAdd(x, bL, c2L);
            c2H = Vector512.FusedMultiplyAdd(x, bH, c2H);
            x = Vector512.Create(*(float*)(a3));
            c3L = Vector512.FusedMultiplyAdd(x, bL, c3L);
            c3H = Vector512.FusedMultiplyAdd(x, bH, c3H);
            a0 += aStep;
            a3 += aStep;
        }

        if (accumulate)
        {
            Add(c, c0L, c0H);
            Add(c + (1 * cRow), c1L, c1H);
            Add(c + (2 * cRow), c2L, c2H);
            Add(c + (3 * cRow), c3L, c3H);
            return;
        }

        Store(c, c0L, c0H);
        Store(c + (1 * cRow), c1L, c1H);
        Store(c + (2 * cRow), c2L, c2H);
        Store(c + (3 * cRow), c3L, c3H);
    }

    // The tile comes from afar while the products run: without this the last stores wait (a tenth of the time).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(float* c, nint cRow, int rows)
    {
        if (Sse.IsSupported)
        {
            for (var i = 0; i < rows; i++, c += cRow)
            {
                Sse.Prefetch0(c);
                Sse.Prefetch0(c + 31);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* c, Vector512<float> low, Vector512<float> high) =>
        Store(c, Vector512.Load(c) + low, Vector512.Load(c + 16) + high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector512<float> low, Vector512<float> high)
    {
        low.Store(c);
        high.Store(c + 16);
    }
}
