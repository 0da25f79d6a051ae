using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Training;

/// <summary>The outer step, θ ← θ − α·g: plain descent along the aggregated pseudo-gradient, without momentum (reference 4.4; error
/// feedback plays that part).</summary>
/// <remarks>Order of operations, part of the protocol: first the product α·g rounded to fp32, then the difference rounded to fp32; never fused.
/// Elementwise, so no thread count or vector width changes a bit (Tier T2).</remarks>
public static class OuterStep
{
    /// <summary>Applies a dense direction.</summary>
    /// <param name="parametersN">Changed in place.</param>
    /// <param name="directionN">As long.</param>
    /// <param name="alpha">The outer learning rate.</param>
    public static void Apply(Span<float> parametersN, ReadOnlySpan<float> directionN, float alpha)
    {
        Invariant.Check(parametersN.Length == directionN.Length);
        var i = 0;
        var rate = Vector256.Create(alpha);
        for (; i <= parametersN.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            (Vector256.Create<float>(parametersN[i..]) - (rate * Vector256.Create(directionN[i..]))).CopyTo(parametersN[i..]);
        }

        for (; i < parametersN.Length; i++)
        {
            parametersN[i] = Moved(parametersN[i], directionN[i], alpha);
        }
    }

    /// <summary>Applies a sparse direction: the same bits as the dense one with zeros elsewhere, without touching the elsewhere.</summary>
    /// <param name="parametersN">Changed in place.</param>
    /// <param name="indicesK">Where; each inside the parameters, none twice.</param>
    /// <param name="valuesK">How much.</param>
    /// <param name="alpha">The outer learning rate.</param>
    public static void ApplySparse(Span<float> parametersN, ReadOnlySpan<int> indicesK, ReadOnlySpan<float> valuesK, float alpha)
    {
        Invariant.Check(indicesK.Length == valuesK.Length);
        for (var k = 0; k < indicesK.Length; k++)
        {
            ref var parameter = ref parametersN[indicesK[k]];
            parameter = Moved(parameter, valuesK[k], alpha);
        }
    }

    private static float Moved(float parameter, float direction, float alpha)
    {
        var change = alpha * direction;
        return parameter - change;
    }
}
