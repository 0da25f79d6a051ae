// Written by tools/GenerateMicroKernels.cs: change the generator, not this file.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Micro-kernels over Vector256: a tile of C, two vectors wide, held in registers over the whole run of k.</summary>
internal static unsafe class MicroKernels256
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows6(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 6);
        var c0L = Vector256<float>.Zero;
        var c0H = Vector256<float>.Zero;
        var c1L = Vector256<float>.Zero;
        var c1H = Vector256<float>.Zero;
        var c2L = Vector256<float>.Zero;
        var c2H = Vector256<float>.Zero;
        var c3L = Vector256<float>.Zero;
        var c3H = Vector256<float>.Zero;
        var c4L = Vector256<float>.Zero;
        var c4H = Vector256<float>.Zero;
        var c5L = Vector256<float>.Zero;
        var c5H = Vector256<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        var a3 = a0 + (3 * aRow);
        for (; k > 0; k--)
        {
            var bL = Vector256.Load(b);
            var bH = Vector256.Load(b + 8);
            b += bStep;
            var x = Vector256.Create(*(float*)(a0));
            c0L = Vector256.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector256.FusedMultiplyAdd(x, bH, c0H);
            x = Vector256.Create(*(float*)(a0 + aRow));
            c1L = Vector256.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector256.FusedMultiplyAdd(x, bH, c1H);
            x = Vector256.Create(*(float*)(a0 + (2 * aRow)));
            c2L = Vector256.FusedMultiplyAdd(x, bL, c2L);
            c2H = Vector256.FusedMultiplyAdd(x, bH, c2H);
            x = Vector256.Create(*(float*)(a3));
            c3L = Vector256.FusedMultiplyAdd(x, bL, c3L);
            c3H = Vector256.FusedMultiplyAdd(x, bH, c3H);
            x = Vector256.Create(*(float*)(a3 + aRow));
            c4L = Vector256.FusedMultiplyAdd(x, bL, c4L);
            c4H = Vector256.FusedMultiplyAdd(x, bH, c4H);
            x = Vector256.Create(*(float*)(a3 + (2 * aRow)));
            c5L = Vector256.FusedMultiplyAdd(x, bL, c5L);
            c5H = Vector256.FusedMultiplyAdd(x, bH, c5H);
            a0 += aStep;
            a3 += aStep;
        }

        if (accumulate)
        {
            Add(c, c0L, c0H);
            Add(c + (1 * cRow), c1L, c1H);
            Add(c + (2 * cRow), c2L, c2H);
            Add(c + (3 * cRow), c3L, c3H);
            Add(c + (4 * cRow), c4L, c4H);
            Add(c + (5 * cRow), c5L, c5H);
            return;
        }

        Store(c, c0L, c0H);
        Store(c + (1 * cRow), c1L, c1H);
        Store(c + (2 * cRow), c2L, c2H);
        Store(c + (3 * cRow), c3L, c3H);
        Store(c + (4 * cRow), c4L, c4H);
        Store(c + (5 * cRow), c5L, c5H);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows4(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 4);
        var c0L = Vector256<float>.Zero;
        var c0H = Vector256<float>.Zero;
        var c1L = Vector256<float>.Zero;
        var c1H = Vector256<float>.Zero;
        var c2L = Vector256<float>.Zero;
        var c2H = Vector256<float>.Zero;
        var c3L = Vector256<float>.Zero;
        var c3H = Vector256<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        var a3 = a0 + (3 * aRow);
        for (; k > 0; k--)
        {
            var bL = Vector256.Load(b);
            var bH = Vector256.Load(b + 8);
            b += bStep;
            var x = Vector256.Create(*(float*)(a0));
            c0L = Vector256.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector256.FusedMultiplyAdd(x, bH, c0H);
            x = Vector256.Create(*(float*)(a0 + aRow));
            c1L = Vector256.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector256.FusedMultiplyAdd(x, bH, c1H);
            x = Vector256.Create(*(float*)(a0 + (2 * aRow)));
            c2L = Vector256.FusedMultiplyAdd(x, bL, c2L);
            c2H = Vector256.FusedMultiplyAdd(x, bH, c2H);
            x = Vector256.Create(*(float*)(a3));
            c3L = Vector256.FusedMultiplyAdd(x, bL, c3L);
            c3H = Vector256.FusedMultiplyAdd(x, bH, c3H);
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows2(
        nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        Prefetch(c, cRow, 2);
        var c0L = Vector256<float>.Zero;
        var c0H = Vector256<float>.Zero;
        var c1L = Vector256<float>.Zero;
        var c1H = Vector256<float>.Zero;
        aRow *= sizeof(float);
        aStep *= sizeof(float);
        var a0 = (byte*)a;
        for (; k > 0; k--)
        {
            var bL = Vector256.Load(b);
            var bH = Vector256.Load(b + 8);
            b += bStep;
            var x = Vector256.Create(*(float*)(a0));
            c0L = Vector256.FusedMultiplyAdd(x, bL, c0L);
            c0H = Vector256.FusedMultiplyAdd(x, bH, c0H);
            x = Vector256.Create(*(float*)(a0 + aRow));
            c1L = Vector256.FusedMultiplyAdd(x, bL, c1L);
            c1H = Vector256.FusedMultiplyAdd(x, bH, c1H);
            a0 += aStep;
        }

        if (accumulate)
        {
            Add(c, c0L, c0H);
            Add(c + (1 * cRow), c1L, c1H);
            return;
        }

        Store(c, c0L, c0H);
        Store(c + (1 * cRow), c1L, c1H);
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
                Sse.Prefetch0(c + 15);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* c, Vector256<float> low, Vector256<float> high) =>
        Store(c, Vector256.Load(c) + low, Vector256.Load(c + 8) + high);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* c, Vector256<float> low, Vector256<float> high)
    {
        low.Store(c);
        high.Store(c + 8);
    }
}
