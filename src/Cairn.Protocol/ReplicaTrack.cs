using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>The part that peers and validators share: follow the closed manifests one by one, post each new base, and compare it with those of the others
/// (rule 7 of the round: first recompute; the same answer again halts, another answer goes back and applies the round anew).</summary>
/// <remarks>Only the newest base is ever in question: the next manifest closes after the round is over, and by then the question is answered.</remarks>
internal sealed class ReplicaTrack
{
    private (Round Round, Digest Base)? _unconfirmed;
    private Round? _posted;
    private Round? _recomputing;
    private Digest? _again;
    private Round? _wentBack;

    /// <summary>Begins at the round whose start state is durable here.</summary>
    /// <param name="next">The first round not yet applied.</param>
    /// <param name="lastBase">The base after the round before it, or zero at the start of the run.</param>
    public ReplicaTrack(Round next, Digest lastBase)
    {
        Next = next;
        if (next.Number > 0 && !lastBase.IsZero)
        {
            _unconfirmed = (new Round(next.Number - 1), lastBase);
        }
    }

    /// <summary>The first round not yet applied: the replica holds its start state.</summary>
    public Round Next { get; private set; }

    /// <summary>An apply, a recomputation or a way back is under way.</summary>
    public bool Busy { get; private set; }

    /// <summary>Stopped for good: this replica is wrong.</summary>
    public bool Halted { get; private set; }

    /// <summary>The newest base is not yet known to be that of the others: nothing may be applied on it.</summary>
    public bool InQuestion => _unconfirmed is not null;

    /// <summary>A manifest is closed that the replica has not applied.</summary>
    /// <param name="ledger">The ledger now.</param>
    public bool Behind(LedgerState ledger) => ledger.ManifestOf(Next) is not null;

    /// <summary>Begins to apply the next closed manifest.</summary>
    /// <param name="ledger">The ledger now; <see cref="Behind"/> holds.</param>
    /// <param name="uid">This member.</param>
    public ApplyManifest Apply(LedgerState ledger, Uid uid)
    {
        Invariant.Check(!Busy && !Halted);
        Invariant.Check(_unconfirmed is null);
        Busy = true;
        var manifest = ledger.ManifestOf(Next)!;
        return new ApplyManifest(Next, manifest, manifest.Contains(uid));
    }

    /// <summary>Takes note of what the host did.</summary>
    /// <param name="happened">Any event; those of no concern are passed over.</param>
    /// <returns>True if the replica has a new base.</returns>
    public bool Observe(NodeEvent happened)
    {
        switch (happened)
        {
            case Applied applied:
                Invariant.Check(Busy && applied.Round <= Next);
                Busy = false;
                _recomputing = null;
                _unconfirmed = (applied.Round, applied.BaseDigest);
                Next = applied.Round.Next;
                return true;
            case CouldNotApply missing:
                Invariant.Check(Busy && missing.Round == Next);
                Busy = false;
                return false;
            case WentBack back:
                Invariant.Check(Busy && _recomputing == back.Round);
                Busy = false;
                _recomputing = null;
                _unconfirmed = null;
                _wentBack = back.Round;
                Next = back.Round;
                return false;
            case Recomputed again:
                Invariant.Check(Busy && _recomputing == again.Round);
                Busy = false;
                _again = again.BaseDigest;
                return false;
            default:
                return false;
        }
    }

    /// <summary>Posts and comparisons that are due.</summary>
    /// <param name="ledger">The ledger now.</param>
    /// <param name="uid">This member.</param>
    /// <param name="inUse">True while the host works with the replica for something else: then nothing is begun that changes it.</param>
    /// <param name="effects">Receives them.</param>
    public void Follow(LedgerState ledger, Uid uid, bool inUse, List<Effect> effects)
    {
        if (_unconfirmed is not var (round, own) || Busy || Halted)
        {
            return;
        }

        var quorum = ledger.QuorumBase(round);
        var allIsSaid = ledger.CurrentRound > round || ledger.Stage > Stage.Apply;
        if (quorum is null || quorum == own)
        {
            Post(ledger, uid, round, own, effects);
        }

        if (quorum == own || (quorum is null && allIsSaid && !AnotherStands(ledger, round, own)))
        {
            _unconfirmed = null;
        }
        else if (!inUse && (quorum is not null || allIsSaid))
        {
            Differ(ledger, uid, round, own, quorum, effects);
        }
    }

    private void Post(LedgerState ledger, Uid uid, Round round, Digest own, List<Effect> effects)
    {
        if (_posted != round && ledger.CurrentRound == round && ledger.Stage == Stage.Apply && ledger.BaseOf(round, uid) is null)
        {
            _posted = round;
            effects.Add(new Submit(new PostBase(round, own)));
        }
    }

    // A round may be over without a quorum, by timeouts. Nobody then knows who is right, but each can look once more at what it has itself: an error that
    // does not repeat itself is found now, while the state before the round is at hand, and not when it has become the ground of the next round. Only who has a bond to
    // lose is heard: a key that costs nothing must not keep everybody computing.
    private static bool AnotherStands(LedgerState ledger, Round round, Digest own)
    {
        foreach (var member in ledger.Validators)
        {
            if (ledger.BaseOf(round, member.Uid) is { } other && other != own)
            {
                return true;
            }
        }

        return false;
    }

    private void Differ(LedgerState ledger, Uid uid, Round round, Digest own, Digest? quorum, List<Effect> effects)
    {
        if (_recomputing != round)
        {
            Busy = true;
            _recomputing = round;
            effects.Add(new Recompute(round, ledger.ManifestOf(round)!));
        }
        else if (_again != own && _wentBack != round)
        {
            Busy = true;
            effects.Add(new CatchUp(round, quorum ?? _again!.Value));
        }
        else if (quorum is { } others)
        {
            // The same answer again, or a second disagreement over one round, which going back once more cannot heal. It is said, and the others need
            // not wait for it.
            Halted = true;
            Post(ledger, uid, round, own, effects);
            effects.Add(new Halt(round, own, others));
        }
        else
        {
            _unconfirmed = null;
        }
    }
}
