using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Whether an update enters the manifest; what it is paid is another question (<see cref="PayShares"/>).</summary>
public static class Admission
{
    /// <summary>Negative probes in a row after which a peer is on trial again (Covenant-72B: out of the gather until one positive).</summary>
    public const int NegativesInRowMax = 3;

    /// <summary>True if an update of this peer needs a probe to be admitted: a newcomer's, or that of a peer whose last three probes were
    /// negative.</summary>
    /// <param name="newcomer">True while it has less bond than an established peer.</param>
    /// <param name="record">What is remembered of it, or null if nothing.</param>
    public static bool NeedsProbe(bool newcomer, PeerRecord? record) => newcomer || record?.NegativesInRow >= NegativesInRowMax;

    /// <summary>Decides: fast checks for all; a probe that is clearly harmful refuses anybody; a peer on trial needs a probe that is not harmful.</summary>
    /// <param name="fastCheck">Outcome of the fast checks.</param>
    /// <param name="needsProbe">See <see cref="NeedsProbe"/>.</param>
    /// <param name="probe">What a probe found, or null if it was not probed.</param>
    /// <returns>None to admit; the failed fast check; NotEntitled for a peer on trial that was not probed this round; Harmful.</returns>
    public static Rejection Decide(Rejection fastCheck, bool needsProbe, LossScore? probe) =>
        fastCheck != Rejection.None ? fastCheck
        : probe is { IsClearlyHarmful: true } ? Rejection.Harmful
        : !needsProbe ? Rejection.None
        : probe is not { } score ? Rejection.NotEntitled
        : score.IsHarmful ? Rejection.Harmful
        : Rejection.None;
}
