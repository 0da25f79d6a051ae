namespace Cairn.Gauntlet;

/// <summary>Proof of computation: who trained on the samples it was assigned improves them more than samples nobody was given; who copied or invented
/// an update does not.</summary>
/// <remarks>Gauntlet (arXiv:2505.21684): b = +1 if the relative improvement on assigned samples exceeds that on others, else −1; average ← 0.95 ·
/// average + 0.05 · b, from 0.
/// Ours: where the two differ by less than one standard error of their difference the probe says nothing, b = 0, and the average stays as it is, so
/// that a peer's average is not a count of coin tosses.</remarks>
public static class ComputationIndicator
{
    /// <summary>Weight of the newest finding in the average.</summary>
    public const double Step = 0.05;

    /// <summary>The published sign.</summary>
    /// <param name="score">A probe.</param>
    /// <returns>+1 or −1.</returns>
    public static int Published(in LossScore score) => score.Assigned.Relative > score.HeldBack.Relative ? 1 : -1;

    /// <summary>Our finding.</summary>
    /// <param name="score">A probe.</param>
    /// <returns>+1 trained on its samples, −1 did not, 0 the probe cannot tell.</returns>
    public static int Of(in LossScore score) => Clearness(score) is var clear && clear > 1 ? 1 : clear < -1 ? -1 : 0;

    /// <summary>By how many standard errors the assigned samples improved more than the others. It does not change when an update is scaled, so that nobody
    /// seems to have worked more by sending larger values.</summary>
    /// <param name="score">A probe.</param>
    /// <returns>About normal with deviation 1 for who did not train on them; −∞ where a loss was not finite.</returns>
    public static double Clearness(in LossScore score)
    {
        var (a, h) = (score.Assigned, score.HeldBack);
        if (double.IsNegativeInfinity(a.Mean) || double.IsNegativeInfinity(h.Mean))
        {
            return double.NegativeInfinity;
        }

        var (errorA, errorH) = (a.StandardError / a.Before, h.StandardError / h.Before);
        var error = Math.Sqrt((errorA * errorA) + (errorH * errorH));
        var difference = a.Relative - h.Relative;
        return difference == 0 || double.IsPositiveInfinity(error) ? 0 : difference / error;
    }

    /// <summary>The moving average after a finding.</summary>
    /// <param name="average">Before, −1 to 1; 0 for a peer never probed.</param>
    /// <param name="finding">+1, 0 or −1; 0 changes nothing.</param>
    public static double Average(double average, int finding) => finding == 0 ? average : ((1 - Step) * average) + (Step * finding);
}
