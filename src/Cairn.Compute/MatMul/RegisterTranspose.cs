using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Turns lines that run along k into panels, a square of 16×16 (or 8×8) floats at a time, without leaving the registers.</summary>
internal static unsafe class RegisterTranspose
{
    /// <summary>Packs the first ⌊k / 16⌋·16 steps of one panel with 512-bit registers.</summary>
    /// <param name="source">First line.</param>
    /// <param name="stride">Floats between lines.</param>
    /// <param name="lines">1 to <paramref name="width"/>; the others become zeros.</param>
    /// <param name="k">Floats of a line.</param>
    /// <param name="width">Lines of the panel.</param>
    /// <param name="panel">Receives width·k floats.</param>
    /// <returns>How many steps were packed.</returns>
    internal static int Panel16(float* source, nint stride, int lines, int k, int width, float* panel)
    {
        var steps = k & ~15;
        for (var line = 0; line < width; line += 16)
        {
            if (line + 16 <= lines)
            {
                Whole16(source, stride, steps, panel + line, width);
            }
            else if (lines == width && (width & 3) == 0)
            {
                Narrow16(source, stride, width - line, steps, panel + line, width);
            }
            else
            {
                Ragged16(source, stride, Math.Max(0, lines - line), steps, panel + line, width, Math.Min(16, width - line));
            }

            source += 16 * stride;
        }

        return steps;
    }

    /// <summary>The same with 256-bit registers, by 8 steps.</summary>
    /// <param name="source">First line.</param>
    /// <param name="stride">Floats between lines.</param>
    /// <param name="lines">1 to <paramref name="width"/>; the others become zeros.</param>
    /// <param name="k">Floats of a line.</param>
    /// <param name="width">Lines of the panel.</param>
    /// <param name="panel">Receives width·k floats.</param>
    /// <returns>How many steps were packed.</returns>
    internal static int Panel8(float* source, nint stride, int lines, int k, int width, float* panel)
    {
        var steps = k & ~7;
        for (var line = 0; line < width; line += 8)
        {
            for (var step = 0; step < steps; step += 8)
            {
                Square8(source + step, stride, Math.Clamp(lines - line, 0, 8), panel + ((nint)step * width) + line, width, Math.Min(8, width - line));
            }

            source += 8 * stride;
        }

        return steps;
    }

    /// <summary>to[c·toStride + r] = from[r·fromStride + c] for all steps c and 16 lines r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Whole16(float* from, nint stride, int steps, float* to, nint toStride)
    {
        for (var end = from + steps; from < end; from += 16, to += 16 * toStride)
        {
            // Four lines become four quads (4 floats of one step in each 128-bit lane), then lanes of four groups are exchanged.
            var line = from;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var a0, out var a1, out var a2, out var a3);
            line += 4 * stride;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var b0, out var b1, out var b2, out var b3);
            line += 4 * stride;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var c0, out var c1, out var c2, out var c3);
            line += 4 * stride;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var d0, out var d1, out var d2, out var d3);
            Lanes16(a0, b0, c0, d0, to, 4 * toStride);
            Lanes16(a1, b1, c1, d1, to + toStride, 4 * toStride);
            Lanes16(a2, b2, c2, d2, to + (2 * toStride), 4 * toStride);
            Lanes16(a3, b3, c3, d3, to + (3 * toStride), 4 * toStride);
        }
    }

    /// <summary>The same for 4, 8 or 12 lines: the missing groups of four repeat the first and are not stored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Narrow16(float* from, nint stride, int lines, int steps, float* to, nint toStride)
    {
        var mask = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(lines)).AsSingle();
        var second = lines > 4 ? 4 * stride : 0;
        var third = lines > 8 ? 8 * stride : 0;
        for (var end = from + steps; from < end; from += 16, to += 16 * toStride)
        {
            Quads16(from, from + stride, from + (2 * stride), from + (3 * stride), out var a0, out var a1, out var a2, out var a3);
            var line = from + second;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var b0, out var b1, out var b2, out var b3);
            line = from + third;
            Quads16(line, line + stride, line + (2 * stride), line + (3 * stride), out var c0, out var c1, out var c2, out var c3);
            MaskedLanes16(a0, b0, c0, to, 4 * toStride, mask);
            MaskedLanes16(a1, b1, c1, to + toStride, 4 * toStride, mask);
            MaskedLanes16(a2, b2, c2, to + (2 * toStride), 4 * toStride, mask);
            MaskedLanes16(a3, b3, c3, to + (3 * toStride), 4 * toStride, mask);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void MaskedLanes16(Vector512<double> a, Vector512<double> b, Vector512<double> c, float* to, nint stride, Vector512<float> mask)
    {
        var ab02 = Avx512F.Shuffle4x128(a, b, 0b10_00_10_00);
        var ab13 = Avx512F.Shuffle4x128(a, b, 0b11_01_11_01);
        var cc02 = Avx512F.Shuffle4x128(c, c, 0b10_00_10_00);
        var cc13 = Avx512F.Shuffle4x128(c, c, 0b11_01_11_01);
        Avx512F.MaskStore(to, mask, Avx512F.Shuffle4x128(ab02, cc02, 0b10_00_10_00).AsSingle());
        Avx512F.MaskStore(to + stride, mask, Avx512F.Shuffle4x128(ab13, cc13, 0b10_00_10_00).AsSingle());
        Avx512F.MaskStore(to + (2 * stride), mask, Avx512F.Shuffle4x128(ab02, cc02, 0b11_01_11_01).AsSingle());
        Avx512F.MaskStore(to + (3 * stride), mask, Avx512F.Shuffle4x128(ab13, cc13, 0b11_01_11_01).AsSingle());
    }

    /// <summary>The same where lines are missing (they become zeros) or only <paramref name="kept"/> of 16 fit the panel.</summary>
    private static void Ragged16(float* from, nint stride, int lines, int steps, float* to, nint toStride, int kept)
    {
        var square = stackalloc float[2 * 256];
        var zeros = new Span<float>(square, 256);
        zeros.Clear();
        for (var step = 0; step < steps; step += 16)
        {
            for (var line = 0; line < lines; line++)
            {
                Vector512.Load(from + (line * stride) + step).Store(square + (16 * line));
            }

            Whole16(square, 16, 16, square + 256, 16);
            for (var row = 0; row < 16; row++, to += toStride)
            {
                new Span<float>(square + 256 + (16 * row), kept).CopyTo(new Span<float>(to, kept));
            }
        }
    }

    /// <summary>Lane l of quad j holds step 4l + j of the four lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads16(
        float* line0, float* line1, float* line2, float* line3,
        out Vector512<double> quad0, out Vector512<double> quad1, out Vector512<double> quad2, out Vector512<double> quad3)
    {
        var v0 = Vector512.Load(line0);
        var v1 = Vector512.Load(line1);
        var v2 = Vector512.Load(line2);
        var v3 = Vector512.Load(line3);
        var low01 = Avx512F.UnpackLow(v0, v1).AsDouble();
        var high01 = Avx512F.UnpackHigh(v0, v1).AsDouble();
        var low23 = Avx512F.UnpackLow(v2, v3).AsDouble();
        var high23 = Avx512F.UnpackHigh(v2, v3).AsDouble();
        quad0 = Avx512F.UnpackLow(low01, low23);
        quad1 = Avx512F.UnpackHigh(low01, low23);
        quad2 = Avx512F.UnpackLow(high01, high23);
        quad3 = Avx512F.UnpackHigh(high01, high23);
    }

    /// <summary>Stores lane l of a, b, c, d side by side as row l.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes16(Vector512<double> a, Vector512<double> b, Vector512<double> c, Vector512<double> d, float* to, nint stride)
    {
        var ab02 = Avx512F.Shuffle4x128(a, b, 0b10_00_10_00);
        var ab13 = Avx512F.Shuffle4x128(a, b, 0b11_01_11_01);
        var cd02 = Avx512F.Shuffle4x128(c, d, 0b10_00_10_00);
        var cd13 = Avx512F.Shuffle4x128(c, d, 0b11_01_11_01);
        Avx512F.Shuffle4x128(ab02, cd02, 0b10_00_10_00).AsSingle().Store(to);
        Avx512F.Shuffle4x128(ab13, cd13, 0b10_00_10_00).AsSingle().Store(to + stride);
        Avx512F.Shuffle4x128(ab02, cd02, 0b11_01_11_01).AsSingle().Store(to + (2 * stride));
        Avx512F.Shuffle4x128(ab13, cd13, 0b11_01_11_01).AsSingle().Store(to + (3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Square8(float* from, nint fromStride, int lines, float* to, nint toStride, int kept)
    {
        var zero = stackalloc float[8];
        float* Line(int i) => i < lines ? from + (i * fromStride) : zero;
        Quads8(Line(0), Line(1), Line(2), Line(3), out var a0, out var a1, out var a2, out var a3);
        Quads8(Line(4), Line(5), Line(6), Line(7), out var b0, out var b1, out var b2, out var b3);
        var mask = Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(kept)).AsSingle();
        Lanes8(a0, b0, to, 4 * toStride, mask);
        Lanes8(a1, b1, to + toStride, 4 * toStride, mask);
        Lanes8(a2, b2, to + (2 * toStride), 4 * toStride, mask);
        Lanes8(a3, b3, to + (3 * toStride), 4 * toStride, mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quads8(
        float* line0, float* line1, float* line2, float* line3,
        out Vector256<double> quad0, out Vector256<double> quad1, out Vector256<double> quad2, out Vector256<double> quad3)
    {
        var v0 = Vector256.Load(line0);
        var v1 = Vector256.Load(line1);
        var v2 = Vector256.Load(line2);
        var v3 = Vector256.Load(line3);
        var low01 = Avx.UnpackLow(v0, v1).AsDouble();
        var high01 = Avx.UnpackHigh(v0, v1).AsDouble();
        var low23 = Avx.UnpackLow(v2, v3).AsDouble();
        var high23 = Avx.UnpackHigh(v2, v3).AsDouble();
        quad0 = Avx.UnpackLow(low01, low23);
        quad1 = Avx.UnpackHigh(low01, low23);
        quad2 = Avx.UnpackLow(high01, high23);
        quad3 = Avx.UnpackHigh(high01, high23);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes8(Vector256<double> a, Vector256<double> b, float* to, nint stride, Vector256<float> mask)
    {
        Avx.MaskStore(to, mask, Avx.Permute2x128(a, b, 0x20).AsSingle());
        Avx.MaskStore(to + stride, mask, Avx.Permute2x128(a, b, 0x31).AsSingle());
    }
}
