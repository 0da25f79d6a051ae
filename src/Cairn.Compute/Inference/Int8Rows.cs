using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>Rows of a matrix in 8 bits: blocks of 32 numbers that share a scale, the largest magnitude over 127 rounded to half precision, as GGUF's Q8_0 has
/// them. Levels stand as level + 128, since the processors' products are of unsigned by signed bytes.</summary>
internal static unsafe class Int8Rows
{
    /// <summary>Numbers that share a scale.</summary>
    internal const int Block = 32;

    /// <summary>What is added to a level.</summary>
    internal const int Offset = 128;

    /// <summary>Scales are turned to fp32 that many blocks at a time (times four rows).</summary>
    internal const int ScaleBlocks = 4;

    /// <summary>Rounds a row into its place.</summary>
    /// <param name="matrix">In 8 bits.</param>
    /// <param name="row">Any, also of the padding.</param>
    /// <param name="values">Finite; zeros follow.</param>
    internal static void Write(PackedMatrix matrix, int row, ReadOnlySpan<float> values)
    {
        var group = matrix.Group(row / PackedMatrix.GroupRows);
        var lane = row % PackedMatrix.GroupRows;
        var levels = stackalloc sbyte[Block];
        for (var block = 0; block < matrix.Steps; block++)
        {
            var part = values[Math.Min(values.Length, block * Block)..Math.Min(values.Length, (block + 1) * Block)];
            ((ushort*)group)[(block * PackedMatrix.GroupRows) + lane] = Round(part, levels);
            var to = group + matrix.ScaleBytes + ((nint)block * matrix.StepBytes) + (lane * Block);
            for (var i = 0; i < Block; i++)
            {
                to[i] = (byte)(levels[i] + Offset);
            }
        }
    }

    /// <summary>The numbers of a row.</summary>
    internal static void Read(PackedMatrix matrix, int row, Span<float> values)
    {
        var group = matrix.Group(row / PackedMatrix.GroupRows);
        var lane = row % PackedMatrix.GroupRows;
        for (var i = 0; i < values.Length; i++)
        {
            var block = i / Block;
            var scale = (float)BitConverter.UInt16BitsToHalf(((ushort*)group)[(block * PackedMatrix.GroupRows) + lane]);
            values[i] = scale * (group[matrix.ScaleBytes + ((nint)block * matrix.StepBytes) + (lane * Block) + (i % Block)] - Offset);
        }
    }

    // To the nearest level, halves away from zero, as the writer of GGUF does: a file's blocks come out as they went in.
    private static ushort Round(ReadOnlySpan<float> values, sbyte* levels)
    {
        var largest = 0f;
        foreach (var value in values)
        {
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        var scale = (Half)(largest / 127);
        if (!Half.IsFinite(scale))
        {
            throw new InputException($"a parameter of {largest} is too large for 8 bits with a half-precision scale: choose f32 or bf16");
        }

        var inverse = largest > 0 ? 127 / largest : 0;
        for (var i = 0; i < Block; i++)
        {
            var level = i < values.Length ? MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero) : 0;
            levels[i] = (sbyte)(float.IsNaN(level) ? 0 : Math.Clamp(level, -127, 127));
        }

        return BitConverter.HalfToUInt16Bits(scale);
    }
}
