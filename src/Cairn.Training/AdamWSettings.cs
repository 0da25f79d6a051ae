namespace Cairn.Training;

/// <summary>The numbers of AdamW that stay the same through a run (Loshchilov and Hutter 2019); the defaults are those of the published run
/// (reference 1.4).</summary>
/// <param name="Beta1">Decay of the first moment, 0…1.</param>
/// <param name="Beta2">Decay of the second moment, 0…1.</param>
/// <param name="Epsilon">Added to the root; above 0.</param>
/// <param name="WeightDecay">Decoupled decay per unit of learning rate, on all parameters alike.</param>
/// <param name="ClipNorm">Gradients with a larger global norm are scaled down to it; above 0, may be infinite.</param>
public sealed record AdamWSettings(
    double Beta1 = 0.9, double Beta2 = 0.95, double Epsilon = 1e-8, double WeightDecay = 0.1, double ClipNorm = 1.0)
{
    /// <summary>Everything that is wrong with the settings, one sentence each; empty if nothing is.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Need(bool holds, string sentence)
        {
            if (!holds)
            {
                faults.Add(sentence);
            }
        }

        Need(Beta1 is >= 0 and < 1, $"beta1 {Beta1} must lie in 0…1, 1 excluded");
        Need(Beta2 is >= 0 and < 1, $"beta2 {Beta2} must lie in 0…1, 1 excluded");
        Need(double.IsFinite(Epsilon) && Epsilon > 0, $"epsilon {Epsilon} must be above 0");
        Need(double.IsFinite(WeightDecay) && WeightDecay >= 0, $"decay {WeightDecay} must not be negative");
        Need(ClipNorm > 0, $"clip norm {ClipNorm} must be above 0");
        return faults;
    }
}
