using Cairn.Base;

namespace Cairn.Compute;

/// <summary>Cosines and sines of the rotary embedding for every position and pair (Su et al. 2021), computed in double with
/// <see cref="DeterministicMath"/> and rounded once: the same bits on every machine.</summary>
public sealed class RopeTable
{
    private readonly float[] _cos;
    private readonly float[] _sin;

    /// <summary>Computes the table.</summary>
    /// <param name="length">Positions; at least 1.</param>
    /// <param name="headDim">Width of a head; even.</param>
    /// <param name="theta">The base of the angles, such as 10,000.</param>
    /// <param name="divisors">By what the frequency of each pair is divided, [HeadDim / 2]; null for 1 everywhere.</param>
    public RopeTable(int length, int headDim, double theta, double[]? divisors = null)
    {
        Invariant.Check(length > 0 && headDim > 0 && headDim % 2 == 0 && (divisors is null || divisors.Length == headDim / 2));
        Length = length;
        HeadDim = headDim;
        var half = headDim / 2;
        _cos = new float[length * half];
        _sin = new float[length * half];
        for (var i = 0; i < half; i++)
        {
            var frequency = DeterministicMath.Exp(-2.0 * i / headDim * DeterministicMath.Log(theta)) / (divisors?[i] ?? 1);
            for (var t = 0; t < length; t++)
            {
                var (sin, cos) = DeterministicMath.SinCos(t * frequency);
                _cos[(t * half) + i] = (float)cos;
                _sin[(t * half) + i] = (float)sin;
            }
        }
    }

    /// <summary>Positions in the table.</summary>
    public int Length { get; }

    /// <summary>Width of a head.</summary>
    public int HeadDim { get; }

    /// <summary>[Length, HeadDim / 2].</summary>
    public ReadOnlySpan<float> Cos => _cos;

    /// <summary>[Length, HeadDim / 2].</summary>
    public ReadOnlySpan<float> Sin => _sin;
}
