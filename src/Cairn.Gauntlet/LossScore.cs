namespace Cairn.Gauntlet;

/// <summary>What a probe of one update found: the base stepped by this update alone, on samples that were assigned to its author and on samples that
/// nobody was given.</summary>
/// <param name="Assigned">On assigned samples.</param>
/// <param name="HeldBack">On samples not issued in this round.</param>
/// <remarks>Gauntlet (arXiv:2505.21684). The published probe looks at 8 + 8 sequences, of which the author trained on about 1.5; ours should look
/// only at samples that were
/// trained on, at 64 or more, and at the same ones for all peers of a round.</remarks>
public readonly record struct LossScore(PairedDifference Assigned, PairedDifference HeldBack)
{
    /// <summary>Standard errors that make a finding clear here: about one false alarm in forty.</summary>
    public const double ClearAt = 2;

    /// <summary>The part of the loss by which one update, applied alone, may make the mean worse before no standard error excuses it: harm that is gathered in
    /// one sequence makes its own standard error as large as itself.</summary>
    public const double RelativeHarmMax = 0.05;

    /// <summary>Relative improvement on held-back samples: what peers are ranked by (the published gradient score).</summary>
    public double Rank => HeldBack.Relative;

    /// <summary>The published negative evaluation: held-back samples became worse.</summary>
    public bool IsNegative => HeldBack.Mean < 0;

    /// <summary>True if the update, applied alone, made its author's own assigned samples worse, or held-back ones clearly so.</summary>
    public bool IsHarmful => Assigned.Mean < 0 || HeldBack.UpperBound(ClearAt) < 0;

    /// <summary>True if that is beyond doubt, so that nobody's name outweighs it: worse by more than four standard errors, by more than a part of the loss
    /// (<see cref="RelativeHarmMax"/>), or not finite.</summary>
    public bool IsClearlyHarmful => IsBeyondDoubt(Assigned) || IsBeyondDoubt(HeldBack);

    /// <summary>Scores an update from losses per sequence.</summary>
    /// <param name="assignedBefore">Before the update, on assigned samples.</param>
    /// <param name="assignedAfter">After it, the same samples in the same order.</param>
    /// <param name="heldBackBefore">Before it, on held-back samples.</param>
    /// <param name="heldBackAfter">After it, likewise.</param>
    public static LossScore Of(
        ReadOnlySpan<double> assignedBefore, ReadOnlySpan<double> assignedAfter,
        ReadOnlySpan<double> heldBackBefore, ReadOnlySpan<double> heldBackAfter) =>
        new(PairedDifference.Between(assignedBefore, assignedAfter), PairedDifference.Between(heldBackBefore, heldBackAfter));

    private static bool IsBeyondDoubt(in PairedDifference found) => found.UpperBound(2 * ClearAt) < 0 || found.Relative < -RelativeHarmMax;
}
