using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>The part that peers and validators share: follow the closed manifests one by one, post each new base, and compare it with the quorum's
/// (rule 7 of the round: first recompute; the same answer again halts, another answer catches up).</summary>
internal sealed class ReplicaTrack
{
    // A base is compared until the quorum has spoken; more than a few unconfirmed rounds cannot exist since a round waits for its posts.
    private const int UnconfirmedMax = 64;

    private readonly PublicKey _self;
    private readonly SortedDictionary<Round, Digest> _unconfirmed = [];
    private readonly HashSet<Round> _posted = [];
    private Round? _recomputing;
    private Round? _wentBack;
    private bool _halted;

    /// <summary>Begins at the round whose start state is durable here.</summary>
    /// <param name="self">This node's key.</param>
    /// <param name="next">The first round not yet applied.</param>
    /// <param name="lastBase">The base after the round before it, or zero at the start of the run.</param>
    public ReplicaTrack(PublicKey self, Round next, Digest lastBase)
    {
        _self = self;
        Next = next;
        if (next.Number > 0 && !lastBase.IsZero)
        {
            _unconfirmed[new Round(next.Number - 1)] = lastBase;
        }
    }

    /// <summary>The first round not yet applied: the replica holds its start state.</summary>
    public Round Next { get; private set; }

    /// <summary>An apply, a recomputation or a catch-up is under way.</summary>
    public bool Busy { get; private set; }

    /// <summary>Stopped for good: this replica is wrong.</summary>
    public bool Halted => _halted;

    /// <summary>A manifest is closed that the replica has not applied.</summary>
    /// <param name="ledger">The ledger now.</param>
    public bool Behind(LedgerState ledger) => ledger.ManifestOf(Next) is not null;

    /// <summary>Begins to apply the next closed manifest.</summary>
    /// <param name="ledger">The ledger now; <see cref="Behind"/> holds.</param>
    /// <param name="uid">This member.</param>
    public ApplyManifest Apply(LedgerState ledger, Uid uid)
    {
        Invariant.Check(!Busy);
        Busy = true;
        var manifest = ledger.ManifestOf(Next)!;
        return new ApplyManifest(Next, manifest, Includes(manifest, uid));
    }

    /// <summary>True if the manifest holds an update of that member.</summary>
    /// <param name="manifest">A closed manifest.</param>
    /// <param name="uid">The member.</param>
    public static bool Includes(Manifest manifest, Uid uid)
    {
        foreach (var entry in manifest.Entries)
        {
            if (entry.Uid == uid)
            {
                return true;
            }
        }

        return false;
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
                _unconfirmed[applied.Round] = applied.BaseDigest;
                Next = applied.Round.Next;
                return true;
            case WentBack back:
                Invariant.Check(Busy && _recomputing == back.Round);
                Busy = false;
                _recomputing = null;
                _wentBack = back.Round;
                _unconfirmed.Remove(back.Round);
                Next = back.Round;
                return false;
            case Recomputed again:
                Invariant.Check(_recomputing == again.Round);
                Busy = false;
                // A second disagreement over one round cannot be healed by going back once more.
                _halted = _unconfirmed[again.Round] == again.BaseDigest || _wentBack == again.Round;
                return false;
            default:
                return false;
        }
    }

    /// <summary>Posts and comparisons that are due.</summary>
    /// <param name="ledger">The ledger now.</param>
    /// <param name="uid">This member.</param>
    /// <param name="effects">Receives them.</param>
    public void Follow(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        Invariant.Check(_unconfirmed.Count <= UnconfirmedMax);
        foreach (var (round, own) in _unconfirmed.ToArray())
        {
            var quorumBase = ledger.QuorumBase(round);
            if (ledger.CurrentRound == round && ledger.Stage == Stage.Apply && ledger.BaseOf(round, uid) is null
                && (_halted || quorumBase is null || quorumBase == own) && _posted.Add(round))
            {
                // A base that is known to differ is computed again before it is posted.
                effects.Add(new Submit(new PostBase(round, own)));
            }

            if (quorumBase is not { } quorum)
            {
                if (ledger.CurrentRound > round)
                {
                    // The round closed without a quorum: there is nothing to compare with.
                    _unconfirmed.Remove(round);
                }
            }
            else if (quorum == own)
            {
                _unconfirmed.Remove(round);
                _posted.Remove(round);
            }
            else if (!Busy)
            {
                Differ(ledger, round, own, quorum, effects);
            }
        }
    }

    private void Differ(LedgerState ledger, Round round, Digest own, Digest quorum, List<Effect> effects)
    {
        if (_halted)
        {
            effects.Add(new Halt(round, own, quorum));
        }
        else if (_recomputing == round)
        {
            Busy = true;
            effects.Add(new CatchUp(round, quorum));
        }
        else
        {
            Busy = true;
            _recomputing = round;
            effects.Add(new Recompute(round, ledger.ManifestOf(round)!));
        }
    }
}
