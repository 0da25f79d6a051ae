using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Training;

/// <summary>One optimizer step over the flat buffers: the global norm in a fixed order, clipping, then one fused pass (Loshchilov and
/// Hutter 2019).</summary>
public static class AdamW
{
    // As in the published run's library: keeps the quotient finite when the norm is tiny.
    private const double NormGuard = 1e-6;

    /// <summary>Takes a step. Tier T2 with the CPU kernels.</summary>
    /// <param name="kernels">Computes.</param>
    /// <param name="parameters">Changed in place.</param>
    /// <param name="gradients">As long as the parameters.</param>
    /// <param name="state">Changed in place.</param>
    /// <param name="settings">The run's numbers.</param>
    /// <param name="learningRate">Of this step.</param>
    /// <returns>The norm of the gradient before clipping. If it is not finite the step is left out: neither parameters nor state
    /// change.</returns>
    public static double Step(
        IKernels kernels, Span<float> parameters, ReadOnlySpan<float> gradients, OptimizerState state, AdamWSettings settings, double learningRate)
    {
        Invariant.Check(parameters.Length == gradients.Length && parameters.Length == state.Moment1.Length);
        var norm = Math.Sqrt(kernels.SumOfSquares(gradients));
        if (!double.IsFinite(norm))
        {
            return norm;
        }

        state.Steps++;
        var step = new AdamWStep(
            LearningRate: (float)learningRate,
            Beta1: (float)settings.Beta1,
            Beta2: (float)settings.Beta2,
            Epsilon: (float)settings.Epsilon,
            WeightDecay: (float)settings.WeightDecay,
            Correction1: (float)(1 - DeterministicMath.Pow(settings.Beta1, state.Steps)),
            Correction2: (float)(1 - DeterministicMath.Pow(settings.Beta2, state.Steps)),
            GradientScale: (float)Math.Min(1, settings.ClipNorm / (norm + NormGuard)));
        kernels.AdamW(parameters, gradients, state.Moment1.Span, state.Moment2.Span, step);
        return norm;
    }
}
