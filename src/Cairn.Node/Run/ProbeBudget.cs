namespace Cairn.Node;

/// <summary>How many updates of a round are probed, and on how many sequences, where the owner of a run does not say: what a validator as quick as a peer can do while
/// one peer trains. More tells sooner who works and who does not (docs/threats.md), but everybody waits for the verdicts.</summary>
/// <param name="Peers">Updates probed in a round.</param>
/// <param name="Sequences">Of a probe, half assigned and half held back.</param>
internal readonly record struct ProbeBudget(int Peers, int Sequences)
{
    /// <summary>Of a probe where that is affordable for all updates of a round.</summary>
    public const int SequencesWanted = 64;

    /// <summary>Of a probe elsewhere: rather many peers a little than few of them well, for a harmful update does its harm in the round that does not look.</summary>
    public const int SequencesLeast = 32;

    /// <summary>Probed in a round, however little the peers train.</summary>
    public const int PeersLeast = 4;

    // A probe looks at the assigned half before and after, and at the held-back half after (before, it is the same for all): one and a half times its sequences, forward
    // only, which is a third of training on one. So it is two sequences for each one trained.
    private const int ProbedPerTrained = 2;

    // With an apply delay peers train meanwhile, and wait only if the verdict is not there when they have done: a quarter of the time is left for all else that it takes.
    private const double ProbedPerTrainedAhead = 1.5;

    /// <summary>What is affordable.</summary>
    /// <param name="places">The most peers in a round.</param>
    /// <param name="samplesPerPeer">Samples that a peer trains on in a round.</param>
    /// <param name="applyDelay">The rule of the run.</param>
    public static ProbeBudget Of(int places, long samplesPerPeer, int applyDelay)
    {
        var sequences = (long)(samplesPerPeer * (applyDelay == 0 ? ProbedPerTrained : ProbedPerTrainedAhead));
        return (long)places * SequencesWanted <= sequences
            ? new ProbeBudget(places, SequencesWanted)
            : new ProbeBudget((int)Math.Clamp(sequences / SequencesLeast, Math.Min(PeersLeast, places), places), SequencesLeast);
    }
}
