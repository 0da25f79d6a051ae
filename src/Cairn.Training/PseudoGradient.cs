using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Training;

/// <summary>What a round of inner steps changed, as a direction of descent: Δ = base − local (DiLoCo, arXiv:2311.08105, line 9).</summary>
public static class PseudoGradient
{
    /// <summary>delta[i] = base[i] − local[i], each rounded once. Tier T2.</summary>
    /// <param name="baseN">The parameters at the round's start.</param>
    /// <param name="localN">The parameters after the inner steps.</param>
    /// <param name="deltaN">Overwritten; may be <paramref name="localN"/> itself.</param>
    public static void Compute(ReadOnlySpan<float> baseN, ReadOnlySpan<float> localN, Span<float> deltaN)
    {
        Invariant.Check(baseN.Length == localN.Length && baseN.Length == deltaN.Length);
        var i = 0;
        for (; i <= baseN.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256.Create(baseN[i..]) - Vector256.Create(localN[i..])).CopyTo(deltaN[i..]);
        }

        for (; i < baseN.Length; i++)
        {
            deltaN[i] = baseN[i] - localN[i];
        }
    }
}
