using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Whether an update enters the manifest; what it is paid is another question (<see cref="PayShares"/>).</summary>
public static class Admission
{
    /// <summary>Negative probes in a row after which a peer is on trial again (Covenant-72B: out of the gather until one positive).</summary>
    public const int NegativesInRowMax = 3;

    /// <summary>Findings of <see cref="WorkShare"/> from which on a peer in which no work was found counts as idle.</summary>
    public const int IdleFindings = 4;

    /// <summary>True if an update of this peer needs a probe to be admitted: a newcomer's, that of a peer whose last three probes were negative, and that of an idle
    /// one.</summary>
    /// <param name="newcomer">True while it has less bond than an established peer.</param>
    /// <param name="record">What is remembered of it, or null if nothing.</param>
    public static bool NeedsProbe(bool newcomer, PeerRecord? record) => newcomer || record?.NegativesInRow >= NegativesInRowMax || IsIdle(record);

    /// <summary>The clearness of a single probe that even two standard errors above what was found must stay below: who works and has had no luck is not idle.</summary>
    public const double IdleClearnessMax = 0.8;

    /// <summary>True if again and again no work was found in the updates of a peer. It is paid nothing then; but its updates, which do no harm that a probe sees, would
    /// still take their part of every mean and hold samples that nobody trains on.</summary>
    /// <param name="record">What is remembered of it, or null if nothing.</param>
    public static bool IsIdle(PeerRecord? record)
    {
        if (record is null || record.WorkCount < IdleFindings || WorkShare.Sixteenths(record.Work) > 0)
        {
            return false;
        }

        var sum = 0.0;
        foreach (var clearness in record.Clearness)
        {
            sum += clearness.Errors;
        }

        var count = record.Clearness.Count;
        return (sum / count) + (2 / Math.Sqrt(count)) < IdleClearnessMax;
    }

    /// <summary>Decides: fast checks for all; a probe that is clearly harmful refuses anybody; a peer on trial needs a probe that is not harmful, an idle one a probe in
    /// which its work is clear.</summary>
    /// <param name="fastCheck">Outcome of the fast checks.</param>
    /// <param name="needsProbe">See <see cref="NeedsProbe"/>.</param>
    /// <param name="isIdle">See <see cref="IsIdle"/>.</param>
    /// <param name="probe">What a probe found, or null if it was not probed.</param>
    /// <returns>None to admit; the failed fast check; NotEntitled for a peer on trial that was not probed this round, and for an idle one that showed no work;
    /// Harmful.</returns>
    public static Rejection Decide(Rejection fastCheck, bool needsProbe, bool isIdle, LossScore? probe) =>
        fastCheck != Rejection.None ? fastCheck
        : probe is { IsClearlyHarmful: true } ? Rejection.Harmful
        : !needsProbe ? Rejection.None
        : probe is not { } score ? Rejection.NotEntitled
        : score.IsHarmful ? Rejection.Harmful
        : isIdle && ComputationIndicator.Clearness(score) < LossScore.ClearAt ? Rejection.NotEntitled
        : Rejection.None;
}
