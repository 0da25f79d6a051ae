using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What a peer does in a run, without doing any of it: events in, effects out; no clock, no store, no tensor.</summary>
/// <remarks>Level-triggered: every step compares what the ledger shows with what this peer has done and asks for the next thing due, so that
/// a restart at any instant needs no special case: the same comparison leads to the same place.</remarks>
public sealed class PeerMachine
{
    private readonly PublicKey _self;
    private readonly ReplicaTrack _replica;
    private Round _workRound;
    private Work _work;
    private Opening? _opening;
    private bool _saidCommit;
    private bool _saidReveal;
    private long _saidReturnAt = -1;
    private bool _finished;

    /// <summary>Begins, or begins again after a restart.</summary>
    /// <param name="self">The peer's key.</param>
    /// <param name="next">The first round not yet applied to the durable replica.</param>
    /// <param name="lastBase">The base after the round before it; zero at the start of the run.</param>
    public PeerMachine(PublicKey self, Round next, Digest lastBase)
    {
        _self = self;
        _replica = new ReplicaTrack(self, next, lastBase);
        _workRound = next;
    }

    private enum Work
    {
        None,
        Training,
        Trained,
        Publishing,
        Published,
        Unusable,
    }

    /// <summary>What this peer waits for, in words.</summary>
    public string WaitsFor { get; private set; } = "the ledger";

    /// <summary>Takes one event and says what is to be done.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="ledger">The ledger now.</param>
    /// <returns>Effects in order; each is asked for once.</returns>
    public IReadOnlyList<Effect> Step(NodeEvent happened, LedgerState ledger)
    {
        Observe(happened);
        var effects = new List<Effect>();
        if (_finished || ledger.Find(_self) is not { } me)
        {
            return effects;
        }

        _replica.Follow(ledger, me.Uid, effects);
        if (_replica.Halted || _replica.Busy)
        {
            WaitsFor = _replica.Halted ? "a person: this replica is wrong" : "its own replica";
            return effects;
        }

        BeginRound();
        if (_replica.Behind(ledger))
        {
            ApplyNext(ledger, me.Uid, effects);
        }
        else if (ledger.Stage == Stage.Finished)
        {
            _finished = true;
            effects.Add(new Finish());
        }
        else if (ledger.CurrentRound == _replica.Next)
        {
            TakePart(ledger, me, effects);
        }

        return effects;
    }

    private void Observe(NodeEvent happened)
    {
        switch (happened)
        {
            case Trained trained when trained.Round == _workRound && _work == Work.Training:
                _work = !trained.Usable ? Work.Unusable : _opening is null ? Work.Trained : Work.Published;
                break;
            case Published published when published.Round == _workRound:
                // After a restart the outbox is told before the training is repeated.
                _opening = published.Opening;
                _work = _work == Work.Publishing ? Work.Published : _work;
                break;
            case WentBack:
                _replica.Observe(happened);
                _workRound = new Round(-1); // what was trained went with the state
                break;
            default:
                _replica.Observe(happened);
                break;
        }
    }

    private void BeginRound()
    {
        if (_workRound == _replica.Next)
        {
            return;
        }

        _workRound = _replica.Next;
        _work = Work.None;
        _opening = null;
        _saidCommit = false;
        _saidReveal = false;
    }

    // Rule 1 of the round: with the own update in the manifest the training must be at hand (repeated after a restart: same bits); without it, it is rolled back.
    private void ApplyNext(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        var included = ReplicaTrack.Includes(ledger.ManifestOf(_replica.Next)!, uid);
        if (_work == Work.Training)
        {
            WaitsFor = "its own training";
        }
        else if (included && _work == Work.None)
        {
            Train(effects);
        }
        else
        {
            WaitsFor = "its own replica";
            effects.Add(_replica.Apply(ledger, uid));
        }
    }

    private void TakePart(LedgerState ledger, Member me, List<Effect> effects)
    {
        if (!me.Active && _saidReturnAt < ledger.CurrentRound.Number)
        {
            _saidReturnAt = ledger.CurrentRound.Number;
            effects.Add(new Submit(new Return(ledger.CurrentRound)));
        }

        if (!InRoster(ledger, me.Uid))
        {
            WaitsFor = "a place in the next roster";
            return;
        }

        var committed = ledger.CommitOf(me.Uid) is not null;
        if (_work == Work.None && (ledger.Stage == Stage.Commit || committed))
        {
            Train(effects);
        }
        else if (_work == Work.Trained && (ledger.Stage == Stage.Commit || (ledger.Stage == Stage.Reveal && committed)))
        {
            // After the commit only a node that came back from an earlier state asks: the host then finds what was published before.
            _work = Work.Publishing;
            effects.Add(new PublishUpdate(_workRound));
        }

        if (_opening is { } opening && ledger.Stage == Stage.Commit && !committed && _work == Work.Published && !_saidCommit)
        {
            _saidCommit = true;
            effects.Add(new Submit(new Commit(_workRound, opening.Root(me.Uid, _workRound))));
        }
        else if (_opening is not null && ledger.Stage == Stage.Reveal && committed && ledger.OpeningOf(me.Uid) is null && !_saidReveal)
        {
            _saidReveal = true;
            effects.Add(new Submit(new Reveal(_workRound, _opening)));
        }

        WaitsFor = _work is Work.Training or Work.Publishing ? "its own training" : $"the others ({ledger.Stage} of round {ledger.CurrentRound})";
    }

    private void Train(List<Effect> effects)
    {
        _work = Work.Training;
        WaitsFor = "its own training";
        effects.Add(new RunInnerSteps(_workRound));
    }

    private static bool InRoster(LedgerState ledger, Uid uid)
    {
        foreach (var entry in ledger.Roster)
        {
            if (entry.Uid == uid)
            {
                return true;
            }
        }

        return false;
    }
}
