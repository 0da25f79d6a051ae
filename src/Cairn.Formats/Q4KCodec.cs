using Cairn.Base;

namespace Cairn.Formats;

/// <summary>The 4-bit format with offsets of llama.cpp (Q4_K): 256 numbers in eight parts of 32. A number is d · scale · level − m · offset, with level 0…15, a
/// scale and an
/// offset of 6 bits for each part, and two halves d and m for all.</summary>
/// <remarks>Bytes: d, m (halves), 12 bytes of scales and offsets, 128 bytes of levels. The first four scales and offsets are the low 6 bits of bytes 0–3 and 4–7;
/// the low 4
/// bits of the other four are in bytes 8–11 (scale low, offset high), their upper 2 bits atop bytes 0–3 and 4–7. Levels: of every two parts the first in the low halves
/// of 32 bytes, the second in the high ones.</remarks>
internal static class Q4KCodec
{
    private const int Part = 32, Parts = 8, LevelMax = 15, SixBits = 63, Trials = 9, Passes = 2;

    /// <summary>Decodes whole blocks.</summary>
    public static void Decode(ReadOnlySpan<byte> bytes, Span<float> values)
    {
        for (; !values.IsEmpty; bytes = bytes[NumberCodec.Q4KBytes..], values = values[NumberCodec.Q4KLength..])
        {
            var (d, m) = (NumberCodec.ReadHalf(bytes), NumberCodec.ReadHalf(bytes[2..]));
            for (var part = 0; part < Parts; part++)
            {
                var (scale, offset) = ReadSix(bytes[4..16], part);
                var (step, least) = (d * scale, m * offset);
                var levels = bytes.Slice(16 + (part / 2 * Part), Part);
                var shift = part % 2 * 4;
                for (var i = 0; i < Part; i++)
                {
                    values[(part * Part) + i] = (step * ((levels[i] >> shift) & LevelMax)) - least;
                }
            }
        }
    }

    /// <summary>Encodes whole blocks.</summary>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> bytes)
    {
        Span<float> steps = stackalloc float[Parts];
        Span<float> offsets = stackalloc float[Parts];
        for (; !values.IsEmpty; bytes = bytes[NumberCodec.Q4KBytes..], values = values[NumberCodec.Q4KLength..])
        {
            var (stepMax, offsetMax) = (0f, 0f);
            for (var part = 0; part < Parts; part++)
            {
                (steps[part], offsets[part]) = Fit(values.Slice(part * Part, Part));
                (stepMax, offsetMax) = (MathF.Max(stepMax, steps[part]), MathF.Max(offsetMax, offsets[part]));
            }

            bytes[..NumberCodec.Q4KBytes].Clear();
            var d = NumberCodec.WriteHalf(bytes, stepMax / SixBits);
            var m = NumberCodec.WriteHalf(bytes[2..], offsetMax / SixBits);
            for (var part = 0; part < Parts; part++)
            {
                var (scale, offset) = (ToSix(steps[part], d), ToSix(offsets[part], m));
                WriteSix(bytes[4..16], part, scale, offset);
                WriteLevels(values.Slice(part * Part, Part), d * scale, m * offset, bytes.Slice(16 + (part / 2 * Part), Part), part % 2 * 4);
            }
        }
    }

    private static void WriteLevels(ReadOnlySpan<float> values, float step, float least, Span<byte> levels, int shift)
    {
        for (var i = 0; i < Part; i++)
        {
            levels[i] |= (byte)(LevelOf(values[i], step, least) << shift);
        }
    }

    private static int LevelOf(float value, float step, float least) =>
        step > 0 ? (int)Math.Clamp(MathF.Round((value + least) / step), 0, LevelMax) : 0;

    private static int ToSix(float value, float unit) => unit > 0 ? (int)Math.Clamp(MathF.Round(value / unit), 0, SixBits) : 0;

    // The step and offset of a part with the least weighted square error: from several guesses of the levels, the best line through them. Large numbers weigh more:
    // they move the product most.
    private static (float Step, float Offset) Fit(ReadOnlySpan<float> values)
    {
        var (low, high, squares) = (0f, 0f, 0.0);
        foreach (var value in values)
        {
            (low, high, squares) = (MathF.Min(low, value), MathF.Max(high, value), squares + ((double)value * value));
        }

        if (high <= low)
        {
            return (0, -low);
        }

        var (best, error, floor) = ((Step: (high - low) / LevelMax, Offset: -low), double.PositiveInfinity, (float)Math.Sqrt(squares / Part));
        for (var trial = 0; trial < Trials; trial++)
        {
            Better(values, Line(values, (high - low) / (LevelMax - 1 + (0.25f * trial)), -low, floor), floor, ref best, ref error);
        }

        for (var pass = 0; pass < Passes; pass++)
        {
            Better(values, Line(values, best.Step, best.Offset, floor), floor, ref best, ref error);
        }

        return best;
    }

    private static void Better(ReadOnlySpan<float> values, (float Step, float Offset) guess, float floor, ref (float Step, float Offset) best, ref double error)
    {
        if (ErrorOf(values, guess.Step, guess.Offset, floor) is var now && now < error)
        {
            (best, error) = (guess, now);
        }
    }

    // Least squares for value ≈ step · level − offset with the levels that a guess gives; an offset below zero cannot be written.
    private static (float Step, float Offset) Line(ReadOnlySpan<float> values, float step, float offset, float floor)
    {
        var (w, wl, wll, wx, wlx) = (0.0, 0.0, 0.0, 0.0, 0.0);
        foreach (var value in values)
        {
            var (level, weight) = (LevelOf(value, step, offset), floor + Math.Abs(value));
            w += weight;
            wl += weight * level;
            wll += weight * level * level;
            wx += weight * value;
            wlx += weight * level * value;
        }

        var determinant = (w * wll) - (wl * wl);
        if (determinant <= 0)
        {
            return (step, offset);
        }

        var (newStep, newOffset) = (((w * wlx) - (wl * wx)) / determinant, ((wl * wlx) - (wll * wx)) / determinant);
        (newStep, newOffset) = newOffset < 0 ? (wll > 0 ? wlx / wll : 0, 0) : (newStep, newOffset);
        return newStep > 0 && double.IsFinite(newStep + newOffset) ? ((float)newStep, (float)newOffset) : (step, offset);
    }

    private static double ErrorOf(ReadOnlySpan<float> values, float step, float offset, float floor)
    {
        var error = 0.0;
        foreach (var value in values)
        {
            var off = (double)value - ((step * LevelOf(value, step, offset)) - offset);
            error += (floor + Math.Abs(value)) * off * off;
        }

        return error;
    }

    private static (int Scale, int Offset) ReadSix(ReadOnlySpan<byte> packed, int part) => part < 4
        ? (packed[part] & SixBits, packed[part + 4] & SixBits)
        : ((packed[part + 4] & 15) | (packed[part - 4] >> 6 << 4), (packed[part + 4] >> 4) | (packed[part] >> 6 << 4));

    private static void WriteSix(Span<byte> packed, int part, int scale, int offset)
    {
        Invariant.Check(scale is >= 0 and <= SixBits && offset is >= 0 and <= SixBits);
        if (part < 4)
        {
            packed[part] |= (byte)scale;
            packed[part + 4] |= (byte)offset;
            return;
        }

        packed[part + 4] = (byte)((scale & 15) | ((offset & 15) << 4));
        packed[part - 4] |= (byte)(scale >> 4 << 6);
        packed[part] |= (byte)(offset >> 4 << 6);
    }
}
