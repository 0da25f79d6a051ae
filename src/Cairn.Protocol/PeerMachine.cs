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
    // What earlier lives published and this one has not yet come to; the host tells it at the start.
    private readonly SortedDictionary<Round, Opening> _openings = [];
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
        _replica = new ReplicaTrack(next, lastBase);
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

        _replica.Follow(ledger, me.Uid, inUse: _work == Work.Training, effects);
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
                _work = !trained.Usable ? Work.Unusable : _openings.ContainsKey(_workRound) ? Work.Published : Work.Trained;
                break;
            case Published published when published.Round >= _workRound:
                // After a restart the outbox is told before the training is repeated, of later rounds too: the newest state may have been lost.
                _openings[published.Round] = published.Opening;
                _work = _work == Work.Publishing && published.Round == _workRound ? Work.Published : _work;
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
        while (_openings.Count > 0 && _openings.First().Key < _workRound)
        {
            _openings.Remove(_openings.First().Key);
        }

        _saidCommit = false;
        _saidReveal = false;
    }

    // Rule 1 of the round: with the own update in the manifest the training must be at hand (repeated after a restart: same bits); without it, it is rolled back.
    private void ApplyNext(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        var included = ledger.ManifestOf(_replica.Next)!.Contains(uid);
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
        if (me is { Active: false, HasLeft: false } && _saidReturnAt < ledger.CurrentRound.Number)
        {
            _saidReturnAt = ledger.CurrentRound.Number;
            effects.Add(new Submit(new Return(ledger.CurrentRound)));
        }

        if (!ledger.IsInRoster(me.Uid))
        {
            WaitsFor = me.HasLeft ? "nothing: it has left the run" : ledger.Paused ? "the validators: the run is paused" : "a place in the next roster";
            return;
        }

        var committed = ledger.CommitOf(me.Uid) is not null;
        if (_work == Work.None && (ledger.Stage == Stage.Commit || committed))
        {
            Train(effects);
        }
        else if (_work == Work.Trained && ledger.Stage == Stage.Commit)
        {
            _work = Work.Publishing;
            effects.Add(new PublishUpdate(_workRound));
        }

        if (_openings.TryGetValue(_workRound, out var opening))
        {
            Open(ledger, me.Uid, opening, committed, effects);
        }

        WaitsFor = _work is Work.Training or Work.Publishing ? "its own training" : Waiting.ForOthers(ledger);
    }

    private void Open(LedgerState ledger, Uid uid, Opening opening, bool committed, List<Effect> effects)
    {
        if (ledger.Stage == Stage.Commit && !committed && _work == Work.Published && !_saidCommit)
        {
            _saidCommit = true;
            effects.Add(new Submit(new Commit(_workRound, opening.Root(uid, _workRound))));
        }
        else if (ledger.Stage == Stage.Reveal && committed && ledger.OpeningOf(uid) is null && !_saidReveal)
        {
            _saidReveal = true;
            effects.Add(new Submit(new Reveal(_workRound, opening)));
        }
    }

    private void Train(List<Effect> effects)
    {
        _work = Work.Training;
        WaitsFor = "its own training";
        effects.Add(new RunInnerSteps(_workRound));
    }
}
