using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The side data of one quantised tensor: what its 2-bit codes stand for.</summary>
/// <param name="Shift">Mean of the sent values.</param>
/// <param name="Scale">Width of a bin, 1.5 standard deviations; 1 where that is below <see cref="ScaleMin"/>.</param>
/// <param name="Level0">Mean of the values less the shift in bin 0, up to −1.5 scales; 0 if none.</param>
/// <param name="Level1">Likewise for bin 1, between −1.5 and −0.5 scales.</param>
/// <param name="Level2">Likewise for bin 2, from −0.5 to 0.5 scales, both included.</param>
/// <param name="Level3">Likewise for bin 3, above 0.5 scales.</param>
/// <remarks>Covenant-72B, the per-tensor quantiser: 4 bins over 6 standard deviations, centre at code 2; code = round-half-even((v − shift)/scale +
/// 2) within 0…3. Half-even rounding puts a border into the even bin beside it: −1.5 into bin 0, ±0.5 into bin 2.</remarks>
public readonly record struct Codebook(float Shift, float Scale, float Level0, float Level1, float Level2, float Level3)
{
    /// <summary>The smallest scale that is allowed.</summary>
    public const float ScaleMin = 1e-12f;

    /// <summary>The largest scale that is allowed; also the largest size of a shift.</summary>
    public const float ScaleMax = 1e4f;

    /// <summary>The largest size of a decoded value.</summary>
    public const float ValueMax = 1e6f;

    /// <summary>What a code stands for: level + shift, rounded once to fp32.</summary>
    /// <param name="code">0 to 3.</param>
    public float ValueOf(int code) => Shift + (code switch { 0 => Level0, 1 => Level1, 2 => Level2, _ => Level3 });

    /// <summary>Judges the form: numbers finite and within their ranges, each level inside its bin, +0 for a bin that no code names.</summary>
    /// <param name="counts">How many values carry each of the four codes.</param>
    /// <returns><see cref="Rejection.None"/>, <see cref="Rejection.NotFinite"/> or <see cref="Rejection.BadCode"/>.</returns>
    /// <remarks>Only a level of the quantiser passes, so a codebook cannot carry what the rule would not have made, but for the length of its outer
    /// tails.</remarks>
    internal Rejection Judge(in CodeCounts counts)
    {
        // Written so that NaN fails every comparison.
        if (!(Scale >= ScaleMin && Scale <= ScaleMax && Math.Abs(Shift) <= ScaleMax))
        {
            return Rejection.NotFinite;
        }

        for (var code = 0; code < 4; code++)
        {
            if (!(Math.Abs(ValueOf(code)) <= ValueMax))
            {
                return Rejection.NotFinite;
            }
        }

        var wide = 1.5f * Scale;
        var half = 0.5f * Scale;
        return IsLevel(Level0, float.NegativeInfinity, -wide, counts.Of0) && IsLevel(Level1, -wide, -half, counts.Of1)
            && IsLevel(Level2, -half, half, counts.Of2) && IsLevel(Level3, half, float.PositiveInfinity, counts.Of3)
            ? Rejection.None
            : Rejection.BadCode;
    }

    // A mean lies between its members, but its rounding may step over the border by one unit.
    private static bool IsLevel(float level, float low, float high, int count) => count == 0
        ? BitConverter.SingleToInt32Bits(level) == 0
        : level >= MathF.BitDecrement(low) && level <= MathF.BitIncrement(high);
}

/// <summary>How many values carry each code.</summary>
/// <param name="Of0">Code 0.</param>
/// <param name="Of1">Code 1.</param>
/// <param name="Of2">Code 2.</param>
/// <param name="Of3">Code 3.</param>
public readonly record struct CodeCounts(int Of0, int Of1, int Of2, int Of3)
{
    /// <summary>Counts the codes of a packed run.</summary>
    /// <param name="packed">The run.</param>
    /// <param name="count">Codes in it.</param>
    public static CodeCounts Of(ReadOnlySpan<byte> packed, int count)
    {
        var (low, high, both) = (0, 0, 0);
        var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(packed[..(count / 4)]);
        const ulong LowBits = 0x5555_5555_5555_5555;
        foreach (var word in words)
        {
            low += System.Numerics.BitOperations.PopCount(word & LowBits);
            high += System.Numerics.BitOperations.PopCount((word >> 1) & LowBits);
            both += System.Numerics.BitOperations.PopCount(word & (word >> 1) & LowBits);
        }

        for (var i = words.Length * 32; i < count; i++)
        {
            var code = Packing.CodeAt(packed, i);
            low += code & 1;
            high += code >> 1;
            both += code == 3 ? 1 : 0;
        }

        return new CodeCounts(count - low - high + both, low - both, high - both, both);
    }
}
