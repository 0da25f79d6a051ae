using System.Numerics;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>What the codes of a tensor stand for under the published quantiser.</summary>
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

    /// <summary>Whether all numbers are finite and within their ranges.</summary>
    internal bool IsFinite
    {
        get
        {
            // Written so that NaN fails every comparison.
            var ok = Scale >= ScaleMin && Scale <= ScaleMax && Math.Abs(Shift) <= ScaleMax;
            for (var code = 0; code < 4; code++)
            {
                ok &= Math.Abs(ValueOf(code)) <= ValueMax;
            }

            return ok;
        }
    }

    /// <summary>Whether each level lies inside its bin, and is +0 for a bin that no code names.</summary>
    /// <param name="counts">How many values carry each of the four codes.</param>
    /// <remarks>Only a level of the quantiser passes, so a codebook cannot carry what the rule would not have made, but for the length of its outer
    /// tails.</remarks>
    internal bool IsInForm(in CodeCounts counts)
    {
        var inBin = CodesInBin;
        return IsLevel(Level0, inBin & 1, counts.Of0) && IsLevel(Level1, inBin & 2, counts.Of1)
            && IsLevel(Level2, inBin & 4, counts.Of2) && IsLevel(Level3, inBin & 8, counts.Of3);
    }

    /// <summary>The codes whose levels lie inside their bins, a bit for each: no other can have been given to a value.</summary>
    internal int CodesInBin
    {
        get
        {
            var (wide, half) = (1.5f * Scale, 0.5f * Scale);
            return (IsBetween(Level0, float.NegativeInfinity, -wide) ? 1 : 0) | (IsBetween(Level1, -wide, -half) ? 2 : 0)
                | (IsBetween(Level2, -half, half) ? 4 : 0) | (IsBetween(Level3, half, float.PositiveInfinity) ? 8 : 0);
        }
    }

    /// <summary>Whether each level lies inside its bin or is +0: what <see cref="IsInForm"/> asks for, without the counts.</summary>
    internal bool HasLevelsOrZeros
    {
        get
        {
            var inBin = CodesInBin;
            return ((inBin & 1) != 0 || IsZero(Level0)) && ((inBin & 2) != 0 || IsZero(Level1))
                && ((inBin & 4) != 0 || IsZero(Level2)) && ((inBin & 8) != 0 || IsZero(Level3));
        }
    }

    private static bool IsLevel(float level, int inBin, int count) => count == 0 ? IsZero(level) : inBin != 0;

    private static bool IsZero(float level) => BitConverter.SingleToInt32Bits(level) == 0;

    // A mean lies between its members, but its rounding may step over the border by one unit.
    private static bool IsBetween(float level, float low, float high) => level >= MathF.BitDecrement(low) && level <= MathF.BitIncrement(high);
}

/// <summary>How many values carry each code.</summary>
/// <param name="Of0">Code 0.</param>
/// <param name="Of1">Code 1.</param>
/// <param name="Of2">Code 2.</param>
/// <param name="Of3">Code 3.</param>
public readonly record struct CodeCounts(int Of0, int Of1, int Of2, int Of3)
{
    /// <summary>Counts codes.</summary>
    /// <param name="codes">One to a byte, each 0 to 3.</param>
    public static CodeCounts Of(ReadOnlySpan<byte> codes)
    {
        var (low, high, both) = (0, 0, 0);
        var words = MemoryMarshal.Cast<byte, ulong>(codes);
        const ulong LowBits = 0x0101_0101_0101_0101;
        foreach (var word in words)
        {
            low += BitOperations.PopCount(word & LowBits);
            high += BitOperations.PopCount((word >> 1) & LowBits);
            both += BitOperations.PopCount(word & (word >> 1) & LowBits);
        }

        foreach (var code in codes[(words.Length * 8)..])
        {
            low += code & 1;
            high += code >> 1;
            both += code == 3 ? 1 : 0;
        }

        return new CodeCounts(codes.Length - low - high + both, low - both, high - both, both);
    }
}
