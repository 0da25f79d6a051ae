namespace Cairn.Gauntlet;

/// <summary>How clearly one probe showed work, and how much it looked at: few samples show the same work less clearly than many.</summary>
/// <param name="Errors"><see cref="ComputationIndicator.Clearness"/>, in standard errors.</param>
/// <param name="Size">Samples of an even comparison that would tell as much: 1 / (1/assigned + 1/held back); above 0.</param>
public readonly record struct Clearness(double Errors, double Size)
{
    /// <summary>What a probe found.</summary>
    /// <param name="score">The probe.</param>
    public static Clearness Of(in LossScore score) =>
        new(ComputationIndicator.Clearness(score), 1 / ((1.0 / score.Assigned.Count) + (1.0 / score.HeldBack.Count)));
}
