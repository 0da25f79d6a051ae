using Cairn.Model;

namespace Cairn.Formats;

/// <summary>Finds the numbers of Llama 3.1's rotary scaling from the divisors that a GGUF file holds in their place.</summary>
/// <remarks>Between its two bounds the inverse of a divisor is a straight line over the frequency. The line gives the bounds up to a common factor, which changes
/// nothing; as
/// published, the lower is set to 1.</remarks>
internal static class RopeFit
{
    private const double Tolerance = 1e-4;

    /// <summary>The scaling, or null if no scaling of this kind has these divisors.</summary>
    /// <param name="divisors">[headDim / 2].</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="theta">Base of the angles.</param>
    /// <param name="said">What the file itself says of the bounds, or null.</param>
    public static RopeScaling? Find(ReadOnlySpan<float> divisors, int headDim, double theta, RopeBlend? said)
    {
        var factor = (double)divisors[^1];
        if (!(factor >= 1 && double.IsFinite(factor)))
        {
            return null;
        }

        var between = new List<(double Frequency, double Part)>();
        for (var i = 0; i < divisors.Length; i++)
        {
            var inside = divisors[i] > 1 + Tolerance && divisors[i] < factor * (1 - Tolerance);
            if (inside)
            {
                between.Add((1 / RopeBlend.WaveLength(i, headDim, theta), ((1 / (double)divisors[i]) - (1 / factor)) / (1 - (1 / factor))));
            }
        }

        // What is said or published first: the divisors may not tell it from others that come to the same.
        foreach (var blend in (IEnumerable<RopeBlend>)[.. said is null ? (RopeBlend[])[] : [said], new RopeBlend(1, 4, 8192), .. Lines(between)])
        {
            var scaling = new RopeScaling(factor, blend);
            if (scaling.Faults().Count == 0 && Same(scaling.Divisors(headDim, theta), divisors))
            {
                return scaling;
            }
        }

        return Same(Enumerable.Repeat(factor, divisors.Length).ToArray(), divisors) ? new RopeScaling(factor) : null;
    }

    // part = original · frequency / (high − low) − low / (high − low), with low = 1.
    private static IEnumerable<RopeBlend> Lines(List<(double Frequency, double Part)> between)
    {
        if (between.Count < 2)
        {
            yield break;
        }

        var (first, last) = (between[0], between[^1]);
        var slope = (first.Part - last.Part) / (first.Frequency - last.Frequency);
        var width = 1 / ((slope * first.Frequency) - first.Part);
        if (double.IsFinite(width) && width > 0)
        {
            yield return new RopeBlend(1, 1 + width, Math.Round(slope * width));
        }
    }

    private static bool Same(double[] ours, ReadOnlySpan<float> theirs)
    {
        for (var i = 0; i < ours.Length; i++)
        {
            if (!(Math.Abs(ours[i] - theirs[i]) <= Tolerance * ours[i]))
            {
                return false;
            }
        }

        return true;
    }
}
