using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Scales an update's tensor down to the median norm of that tensor over the round, so that no single norm bomb moves the model.</summary>
/// <remarks>Covenant-72B: factor = min(1, m/(n + 1e-8)), m the lower median. Deviation: a norm up to the median keeps the factor 1 exactly, which
/// the addend would otherwise shrink by 1e-8/n, so that what is applied is what was sent. A majority that colludes sets the median itself: bonds
/// and verdicts are there for that.</remarks>
public static class MedianNormClip
{
    private const double Epsilon = 1e-8;

    /// <summary>The factors for the norms of one tensor.</summary>
    /// <param name="norms">One per update, finite, at least one.</param>
    /// <param name="factors">Receives as many factors, each 0 to 1.</param>
    public static void Factors(ReadOnlySpan<double> norms, Span<float> factors)
    {
        var median = LowerMedian(norms);
        for (var i = 0; i < norms.Length; i++)
        {
            factors[i] = norms[i] <= median ? 1 : (float)(median / (norms[i] + Epsilon));
        }
    }

    /// <summary>The middle norm, of an even count the lower of the two.</summary>
    /// <param name="norms">At least one.</param>
    public static double LowerMedian(ReadOnlySpan<double> norms)
    {
        Invariant.Check(norms.Length > 0);
        var sorted = norms.ToArray();
        Array.Sort(sorted);
        return sorted[(sorted.Length - 1) / 2];
    }
}
