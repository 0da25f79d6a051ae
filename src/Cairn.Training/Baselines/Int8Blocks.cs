using Cairn.Base;

namespace Cairn.Training;

/// <summary>Dense numbers in one byte each: the plainest compression of a pseudo-gradient, for a baseline.</summary>
/// <remarks>The rule: blocks of 4096 numbers in the order of the flat buffer, the last one shorter. Scale of a block: s = max|x|/127 in fp32. Code:
/// q = x/s in fp32, rounded half to even, −127 to 127. What is received: q·s in fp32. A block whose scale is 0 is received as zeros. On the wire: one byte
/// per number and the 4 bytes of s per block. No error feedback: with 8 bits there is next to nothing to feed back. Tier T2.</remarks>
public static class Int8Blocks
{
    /// <summary>Numbers that share a scale.</summary>
    public const int Block = 4096;

    private const int CodeMax = 127;

    /// <summary>Bytes that the numbers take on the wire.</summary>
    /// <param name="count">How many numbers.</param>
    public static long BytesOf(long count) => count + (sizeof(float) * ((count + Block - 1) / Block));

    /// <summary>Puts in the place of every number what a receiver reads.</summary>
    /// <param name="values">Changed in place. If one of a block is not finite, the whole block becomes NaN: training has diverged.</param>
    public static void RoundTrip(Span<float> values)
    {
        for (var start = 0; start < values.Length; start += Block)
        {
            RoundTripBlock(values.Slice(start, Math.Min(Block, values.Length - start)));
        }
    }

    /// <summary>The code of a number.</summary>
    /// <param name="value">At most 127 scales large.</param>
    /// <param name="scale">s, above 0.</param>
    public static sbyte Encode(float value, float scale) =>
        (sbyte)Math.Clamp(MathF.Round(value / scale, MidpointRounding.ToEven), -CodeMax, CodeMax);

    private static void RoundTripBlock(Span<float> block)
    {
        var largest = 0f;
        foreach (var value in block)
        {
            // The larger of the two, or NaN if one is.
            largest = MathF.Max(largest, MathF.Abs(value));
        }

        var scale = largest / CodeMax;
        if (!float.IsFinite(scale) || scale == 0)
        {
            block.Fill(scale == 0 ? 0 : float.NaN);
            return;
        }

        foreach (ref var value in block)
        {
            value = Encode(value, scale) * scale;
        }
    }
}
