using Cairn.Base;

namespace Cairn.Model;

/// <summary>How a model's rotary angles are stretched to reach beyond the context it was first trained with.</summary>
/// <param name="Factor">By how much slow pairs are slowed; above or at 1.</param>
/// <param name="Llama3">Null: all pairs alike ("linear"). Else as in Llama 3.1: fast pairs stay as they are, slow ones are divided, and those between are
/// blended.</param>
public sealed record RopeScaling(double Factor, RopeBlend? Llama3 = null)
{
    /// <summary>By what the frequency of each pair is divided.</summary>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="theta">Base of the angles.</param>
    public double[] Divisors(int headDim, double theta)
    {
        var divisors = new double[headDim / 2];
        for (var i = 0; i < divisors.Length; i++)
        {
            divisors[i] = Llama3 is { } blend ? blend.Divisor(Factor, RopeBlend.WaveLength(i, headDim, theta)) : Factor;
        }

        return divisors;
    }

    /// <summary>Everything that is wrong with it.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (!(Factor >= 1 && double.IsFinite(Factor)))
        {
            faults.Add($"rotary scaling by {Factor} must be at least 1");
        }

        if (Llama3 is { } blend && !(blend.LowFrequency > 0 && blend.HighFrequency > blend.LowFrequency && blend.OriginalContext >= 1
            && double.IsFinite(blend.HighFrequency) && double.IsFinite(blend.OriginalContext)))
        {
            faults.Add("the frequencies of rotary scaling must rise from above 0, and its original context be at least 1");
        }

        return faults;
    }
}

/// <summary>Between which wave lengths the rotary scaling of Llama 3.1 blends ("The Llama 3 Herd of Models", 2024; its published code).</summary>
/// <param name="LowFrequency">Pairs that turn fewer times than this in the original context are divided by the whole factor.</param>
/// <param name="HighFrequency">Pairs that turn more often than this stay as they are.</param>
/// <param name="OriginalContext">The context of the first training, in tokens.</param>
public sealed record RopeBlend(double LowFrequency, double HighFrequency, double OriginalContext)
{
    /// <summary>After how many tokens a pair has turned once.</summary>
    /// <param name="pair">0 to headDim / 2 − 1.</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="theta">Base of the angles.</param>
    public static double WaveLength(int pair, int headDim, double theta) =>
        2 * Math.PI / DeterministicMath.Exp(-2.0 * pair / headDim * DeterministicMath.Log(theta));

    /// <summary>By what the frequency of a pair is divided.</summary>
    /// <param name="factor">The whole factor.</param>
    /// <param name="waveLength">Of the pair.</param>
    public double Divisor(double factor, double waveLength)
    {
        var turns = OriginalContext / waveLength;
        if (turns <= LowFrequency || turns >= HighFrequency)
        {
            return turns <= LowFrequency ? factor : 1;
        }

        var part = (turns - LowFrequency) / (HighFrequency - LowFrequency);
        return 1 / (((1 - part) / factor) + part);
    }
}
