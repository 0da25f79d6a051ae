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
            var change = alpha * directionN[i];
            parametersN[i] -= change;
        }
    }
}
