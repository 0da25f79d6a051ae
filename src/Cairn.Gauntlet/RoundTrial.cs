using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>What the ledger says of one peer in a round that is judged.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Newcomer">Without enough bond: admitted only after a probe.</param>
/// <param name="CommitOrder">Its place in the order of commits; −1 without one.</param>
/// <param name="Samples">How many samples it was assigned.</param>
public readonly record struct TrialPeer(Uid Uid, bool Newcomer, int CommitOrder, int Samples);

/// <summary>The constants of a trial, from the rules of the run.</summary>
/// <param name="Rounds">Of the run.</param>
/// <param name="ProbedPeers">Peers whose loss is probed.</param>
/// <param name="OverlapPerMille">From which part of shared places on the later of two updates is a copy.</param>
/// <param name="Rating">Constants of rating.</param>
public sealed record TrialRules(int Rounds, int ProbedPeers, int OverlapPerMille, RatingRules Rating);

/// <summary>What a trial ends with.</summary>
/// <param name="Observations">One for each peer, in roster order: what the verdict says.</param>
/// <param name="Book">The book after the round.</param>
public sealed record TrialOutcome(IReadOnlyList<Observation> Observations, PeerBook Book);

/// <summary>One validator's judgement of one round, from fast checks to verdict: all that decides, none of the work. The host measures (fetches, decodes,
/// counts shared places, computes losses) and hands in numbers; every host, real or simulated, judges by this one path.</summary>
/// <remarks>The order is part of the rules: fast checks, then who is on trial, then overlap (the later commit is the copy, and of two the one that is on trial), then the
/// draw of probes among those that passed, then admission, then the book. Pure: same numbers, same outcome.</remarks>
public sealed class RoundTrial
{
    private readonly Round _round;
    private readonly PeerBook _before;
    private readonly IReadOnlyList<TrialPeer> _peers;
    private readonly IReadOnlyList<FastCheck> _checks;
    private readonly HashSet<Uid> _onTrial = [];
    private readonly TrialRules _rules;

    /// <summary>Opens the trial: all that is known before a loss is measured.</summary>
    /// <param name="round">The round.</param>
    /// <param name="beacon">Its randomness.</param>
    /// <param name="before">The book before it (<see cref="BookBefore"/>).</param>
    /// <param name="peers">The roster, ascending by uid.</param>
    /// <param name="checks">The fast checks, one for each peer in the same order.</param>
    /// <param name="pairs">Pairs of updates that passed and share many places; pairs below the threshold may be left out.</param>
    /// <param name="rules">Constants.</param>
    public RoundTrial(
        Round round, Digest beacon, PeerBook before, IReadOnlyList<TrialPeer> peers, IReadOnlyList<FastCheck> checks,
        IReadOnlyList<PairOverlap> pairs, TrialRules rules)
    {
        Invariant.Check(peers.Count == checks.Count);
        (_round, _before, _peers, _rules) = (round, before, peers, rules);
        foreach (var peer in peers.Where(peer => Admission.NeedsProbe(peer.Newcomer, before.Find(peer.Uid))))
        {
            _onTrial.Add(peer.Uid);
        }

        // An update follows from what everybody knows, so who is quicker can compute another's before he commits it. A key that costs nothing makes nobody a copy by
        // that: those on trial stand behind all others.
        var order = peers.Where(peer => peer.CommitOrder >= 0)
            .OrderBy(peer => _onTrial.Contains(peer.Uid)).ThenBy(peer => peer.CommitOrder).Select(peer => peer.Uid).ToList();
        _checks = FastCheck.WithCopies(checks, new OverlapRule(rules.OverlapPerMille).FindCopies(pairs, order));
        var passed = new List<Uid>();
        for (var i = 0; i < peers.Count; i++)
        {
            Invariant.Check(peers[i].Uid == _checks[i].Uid);
            if (_checks[i].Passed)
            {
                passed.Add(peers[i].Uid);
            }
        }

        Probed = ProbePlan.Choose(beacon, passed, rules.ProbedPeers, _onTrial);
    }

    /// <summary>Whose updates are to be probed, ascending.</summary>
    public IReadOnlyList<Uid> Probed { get; }

    /// <summary>Ends the trial.</summary>
    /// <param name="scores">What the probes of <see cref="Probed"/> found.</param>
    public TrialOutcome Close(IReadOnlyDictionary<Uid, LossScore> scores)
    {
        var observations = new Observation[_peers.Count];
        for (var i = 0; i < observations.Length; i++)
        {
            var (uid, _, _, samples) = _peers[i];
            LossScore? score = scores.TryGetValue(uid, out var found) ? found : null;
            var onTrial = _onTrial.Contains(uid);
            var reason = Admission.Decide(_checks[i].Reason, onTrial, Admission.IsIdle(_before.Find(uid)), score);
            observations[i] = new Observation(uid, reason, reason == Rejection.None ? samples : 0, score, onTrial);
        }

        return new TrialOutcome(observations, _before.Observe(_round, observations, _rules.Rating, _round.Number == _rules.Rounds - 1, _rules.ProbedPeers > 0));
    }

    /// <summary>The book that a round is judged with. Samples are counted from one settlement that paid to the next, and from zero at the first judgement after
    /// it, so that a restart in between resets once, not twice; where the ledger did not pay, what was done waits with the money.</summary>
    /// <param name="book">The book after the round before.</param>
    /// <param name="round">The round that is judged.</param>
    /// <param name="settleEvery">Rounds between settlements.</param>
    /// <param name="paid">Whether the ledger paid in the round before.</param>
    public static PeerBook BookBefore(PeerBook book, Round round, int settleEvery, bool paid) =>
        paid && round.Number > 0 && round.Number % settleEvery == 0 ? book.Settle() : book;
}
