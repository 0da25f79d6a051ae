// Written by tools/GenerateMicroKernels.cs: change the generator, not this file.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <summary>Products of a group of four matrix rows with 1 to 6 rows of activations, held in registers over a run of steps.</summary>
/// <remarks>Every product of two rows is the sum over 16 lanes of k, each in the order of k, then of the lanes by one tree: its bits depend neither on how many
/// rows are multiplied together nor on the width of the machine's vectors.</remarks>
internal static unsafe class RowTiles<T>
    where T : struct, IMatrixLanes
{
    /// <summary>The most rows of activations.</summary>
    internal const int RowsMax = 6;

    /// <summary>y[r, 0…3] (added to when <paramref name="add"/>) = w · x[r].</summary>
    /// <param name="rows">1 to <see cref="RowsMax"/>.</param>
    /// <param name="steps">Steps of 16; at least 1.</param>
    /// <param name="w">A group's numbers.</param>
    /// <param name="x">First row.</param>
    /// <param name="xRow">Floats between rows of x.</param>
    /// <param name="y">First of four.</param>
    /// <param name="yRow">Floats between rows of y.</param>
    /// <param name="add">Whether y is added to.</param>
    internal static void Run(int rows, nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        switch (rows)
        {
            case 1:
                Rows1(steps, w, x, xRow, y, yRow, add);
                break;
            case 2:
                Rows2(steps, w, x, xRow, y, yRow, add);
                break;
            case 3:
                Rows3(steps, w, x, xRow, y, yRow, add);
                break;
            case 4:
                Rows4(steps, w, x, xRow, y, yRow, add);
                break;
            case 5:
                Rows5(steps, w, x, xRow, y, yRow, add);
                break;
            default:
                Rows6(steps, w, x, xRow, y, yRow, add);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        var x3 = x + (3 * xRow);
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        Vector512<float> s40 = default, s41 = default, s42 = default, s43 = default;
        Vector512<float> s50 = default, s51 = default, s52 = default, s53 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            v = Vector512.Load(x + xRow);
            s10 = Vector512.FusedMultiplyAdd(w0, v, s10);
            s11 = Vector512.FusedMultiplyAdd(w1, v, s11);
            s12 = Vector512.FusedMultiplyAdd(w2, v, s12);
            s13 = Vector512.FusedMultiplyAdd(w3, v, s13);
            v = Vector512.Load(x + (2 * xRow));
            s20 = Vector512.FusedMultiplyAdd(w0, v, s20);
            s21 = Vector512.FusedMultiplyAdd(w1, v, s21);
            s22 = Vector512.FusedMultiplyAdd(w2, v, s22);
            s23 = Vector512.FusedMultiplyAdd(w3, v, s23);
            v = Vector512.Load(x3);
            s30 = Vector512.FusedMultiplyAdd(w0, v, s30);
            s31 = Vector512.FusedMultiplyAdd(w1, v, s31);
            s32 = Vector512.FusedMultiplyAdd(w2, v, s32);
            s33 = Vector512.FusedMultiplyAdd(w3, v, s33);
            v = Vector512.Load(x3 + xRow);
            s40 = Vector512.FusedMultiplyAdd(w0, v, s40);
            s41 = Vector512.FusedMultiplyAdd(w1, v, s41);
            s42 = Vector512.FusedMultiplyAdd(w2, v, s42);
            s43 = Vector512.FusedMultiplyAdd(w3, v, s43);
            v = Vector512.Load(x3 + (2 * xRow));
            s50 = Vector512.FusedMultiplyAdd(w0, v, s50);
            s51 = Vector512.FusedMultiplyAdd(w1, v, s51);
            s52 = Vector512.FusedMultiplyAdd(w2, v, s52);
            s53 = Vector512.FusedMultiplyAdd(w3, v, s53);
            x += Lanes.Count;
            x3 += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
        RowSums.Put(RowSums.OfFour(s20, s21, s22, s23), y + (2 * yRow), add);
        RowSums.Put(RowSums.OfFour(s30, s31, s32, s33), y + (3 * yRow), add);
        RowSums.Put(RowSums.OfFour(s40, s41, s42, s43), y + (4 * yRow), add);
        RowSums.Put(RowSums.OfFour(s50, s51, s52, s53), y + (5 * yRow), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows5(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        var x3 = x + (3 * xRow);
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        Vector512<float> s40 = default, s41 = default, s42 = default, s43 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            v = Vector512.Load(x + xRow);
            s10 = Vector512.FusedMultiplyAdd(w0, v, s10);
            s11 = Vector512.FusedMultiplyAdd(w1, v, s11);
            s12 = Vector512.FusedMultiplyAdd(w2, v, s12);
            s13 = Vector512.FusedMultiplyAdd(w3, v, s13);
            v = Vector512.Load(x + (2 * xRow));
            s20 = Vector512.FusedMultiplyAdd(w0, v, s20);
            s21 = Vector512.FusedMultiplyAdd(w1, v, s21);
            s22 = Vector512.FusedMultiplyAdd(w2, v, s22);
            s23 = Vector512.FusedMultiplyAdd(w3, v, s23);
            v = Vector512.Load(x3);
            s30 = Vector512.FusedMultiplyAdd(w0, v, s30);
            s31 = Vector512.FusedMultiplyAdd(w1, v, s31);
            s32 = Vector512.FusedMultiplyAdd(w2, v, s32);
            s33 = Vector512.FusedMultiplyAdd(w3, v, s33);
            v = Vector512.Load(x3 + xRow);
            s40 = Vector512.FusedMultiplyAdd(w0, v, s40);
            s41 = Vector512.FusedMultiplyAdd(w1, v, s41);
            s42 = Vector512.FusedMultiplyAdd(w2, v, s42);
            s43 = Vector512.FusedMultiplyAdd(w3, v, s43);
            x += Lanes.Count;
            x3 += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
        RowSums.Put(RowSums.OfFour(s20, s21, s22, s23), y + (2 * yRow), add);
        RowSums.Put(RowSums.OfFour(s30, s31, s32, s33), y + (3 * yRow), add);
        RowSums.Put(RowSums.OfFour(s40, s41, s42, s43), y + (4 * yRow), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        var x3 = x + (3 * xRow);
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        Vector512<float> s30 = default, s31 = default, s32 = default, s33 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            v = Vector512.Load(x + xRow);
            s10 = Vector512.FusedMultiplyAdd(w0, v, s10);
            s11 = Vector512.FusedMultiplyAdd(w1, v, s11);
            s12 = Vector512.FusedMultiplyAdd(w2, v, s12);
            s13 = Vector512.FusedMultiplyAdd(w3, v, s13);
            v = Vector512.Load(x + (2 * xRow));
            s20 = Vector512.FusedMultiplyAdd(w0, v, s20);
            s21 = Vector512.FusedMultiplyAdd(w1, v, s21);
            s22 = Vector512.FusedMultiplyAdd(w2, v, s22);
            s23 = Vector512.FusedMultiplyAdd(w3, v, s23);
            v = Vector512.Load(x3);
            s30 = Vector512.FusedMultiplyAdd(w0, v, s30);
            s31 = Vector512.FusedMultiplyAdd(w1, v, s31);
            s32 = Vector512.FusedMultiplyAdd(w2, v, s32);
            s33 = Vector512.FusedMultiplyAdd(w3, v, s33);
            x += Lanes.Count;
            x3 += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
        RowSums.Put(RowSums.OfFour(s20, s21, s22, s23), y + (2 * yRow), add);
        RowSums.Put(RowSums.OfFour(s30, s31, s32, s33), y + (3 * yRow), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows3(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        Vector512<float> s20 = default, s21 = default, s22 = default, s23 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            v = Vector512.Load(x + xRow);
            s10 = Vector512.FusedMultiplyAdd(w0, v, s10);
            s11 = Vector512.FusedMultiplyAdd(w1, v, s11);
            s12 = Vector512.FusedMultiplyAdd(w2, v, s12);
            s13 = Vector512.FusedMultiplyAdd(w3, v, s13);
            v = Vector512.Load(x + (2 * xRow));
            s20 = Vector512.FusedMultiplyAdd(w0, v, s20);
            s21 = Vector512.FusedMultiplyAdd(w1, v, s21);
            s22 = Vector512.FusedMultiplyAdd(w2, v, s22);
            s23 = Vector512.FusedMultiplyAdd(w3, v, s23);
            x += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
        RowSums.Put(RowSums.OfFour(s20, s21, s22, s23), y + (2 * yRow), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector512<float> s10 = default, s11 = default, s12 = default, s13 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            v = Vector512.Load(x + xRow);
            s10 = Vector512.FusedMultiplyAdd(w0, v, s10);
            s11 = Vector512.FusedMultiplyAdd(w1, v, s11);
            s12 = Vector512.FusedMultiplyAdd(w2, v, s12);
            s13 = Vector512.FusedMultiplyAdd(w3, v, s13);
            x += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1(nint steps, byte* w, float* x, nint xRow, float* y, nint yRow, bool add)
    {
        Vector512<float> s00 = default, s01 = default, s02 = default, s03 = default;
        for (; steps > 0; steps--)
        {
            var w0 = T.Load(w);
            var w1 = T.Load(w + T.Bytes);
            var w2 = T.Load(w + (2 * T.Bytes));
            var w3 = T.Load(w + (3 * T.Bytes));
            w += 4 * T.Bytes;
            var v = Vector512.Load(x);
            s00 = Vector512.FusedMultiplyAdd(w0, v, s00);
            s01 = Vector512.FusedMultiplyAdd(w1, v, s01);
            s02 = Vector512.FusedMultiplyAdd(w2, v, s02);
            s03 = Vector512.FusedMultiplyAdd(w3, v, s03);
            x += Lanes.Count;
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
    }
}
