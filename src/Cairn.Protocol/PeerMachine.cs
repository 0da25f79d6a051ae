using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What a peer does in a run, without doing any of it: events in, effects out; no clock, no store, no tensor.</summary>
/// <remarks>Level-triggered: every step compares what the ledger shows with what this peer has done and asks for the next thing due, so that
/// a restart at any instant needs no special case: the same comparison leads to the same place. With an apply delay it works on two rounds: the one that the replica
/// stands before, which is exchanged and closed, and the next, whose inner steps go on meanwhile.</remarks>
public sealed class PeerMachine
{
    private readonly PublicKey _self;
    private readonly ReplicaTrack _replica;
    private readonly bool _ahead;
    // What earlier lives published and this one has not yet come to; the host tells it at the start.
    private readonly SortedDictionary<Round, Opening> _openings = [];
    private PeerWork _now;
    private PeerWork _next;
    private long _saidReturnAt = -1;
    private bool _finished;

    /// <summary>Begins, or begins again after a restart.</summary>
    /// <param name="self">The peer's key.</param>
    /// <param name="next">The first round not yet applied to the durable replica.</param>
    /// <param name="lastBase">The base after the round before it; zero at the start of the run.</param>
    /// <param name="applyDelay">The rule of the run: 0 or 1.</param>
    public PeerMachine(PublicKey self, Round next, Digest lastBase, int applyDelay = 0)
    {
        Invariant.Check(applyDelay is 0 or 1);
        (_self, _ahead) = (self, applyDelay == 1);
        _replica = new ReplicaTrack(next, lastBase);
        (_now, _next) = (new PeerWork(next), new PeerWork(next.Next));
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

        _replica.Follow(ledger, me.Uid, inUse: _now.Runs || _next.Runs, effects);
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
        else if (_ahead && ledger.CurrentRound.Next == _replica.Next)
        {
            Prepare(ledger, me, effects);
        }

        return effects;
    }

    private void Observe(NodeEvent happened)
    {
        switch (happened)
        {
            case Trained trained:
                Work(trained.Round, happened);
                break;
            case Encoded encoded:
                Work(encoded.Round, happened);
                break;
            case Published published when published.Round >= _now.Round:
                // After a restart the outbox is told before the training is repeated, of later rounds too: the newest state may have been lost.
                _openings[published.Round] = published.Opening;
                Work(published.Round, happened);
                break;
            case Published:
                break;
            case WentBack:
                _replica.Observe(happened);
                // What was trained went with the state.
                (_now, _next) = (new PeerWork(_replica.Next), new PeerWork(_replica.Next.Next));
                break;
            default:
                _replica.Observe(happened);
                break;
        }
    }

    private void Work(Round round, NodeEvent happened)
    {
        foreach (var work in (ReadOnlySpan<PeerWork>)[_now, _next])
        {
            if (work.Round == round)
            {
                work.Observe(happened, encodes: !_ahead, _openings.ContainsKey(round));
            }
        }
    }

    private void BeginRound()
    {
        if (_now.Round == _replica.Next)
        {
            return;
        }

        (_now, _next) = (_next.Round == _replica.Next ? _next : new PeerWork(_replica.Next), new PeerWork(_replica.Next.Next));
        while (_openings.Count > 0 && _openings.First().Key < _now.Round)
        {
            _openings.Remove(_openings.First().Key);
        }
    }

    // Rule 1 of the round: with the own update in the manifest the training must be at hand (repeated after a restart: same bits); without it, it is rolled back.
    private void ApplyNext(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        var included = ledger.ManifestOf(_replica.Next)!.Contains(uid);
        if (_now.Runs || (_replica.InQuestion && _next.Runs))
        {
            WaitsFor = "its own training";
        }
        else if (included && _now.Stage == WorkStage.None)
        {
            Train(_now, effects);
        }
        else if (included && _now.Stage == WorkStage.Trained)
        {
            Encode(effects);
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

        if (ledger.IsInRoster(me.Uid))
        {
            WorkInRound(ledger, me, effects);
        }
        else
        {
            WaitsFor = me.HasLeft ? "nothing: it has left the run" : ledger.Paused ? "the validators: the run is paused" : "a place in the next roster";
        }

        if (_ahead && IsHandedOver(ledger, me.Uid))
        {
            WorkAhead(_next, ledger, me, effects);
        }
    }

    private void WorkInRound(LedgerState ledger, Member me, List<Effect> effects)
    {
        var committed = ledger.CommitOf(me.Uid) is not null;
        var isOn = ledger.Stage == Stage.Commit || committed;
        if (_now.Stage == WorkStage.None && isOn)
        {
            Train(_now, effects);
        }
        else if (_now.Stage == WorkStage.Trained && isOn)
        {
            Encode(effects);
        }
        else if (_now.Stage == WorkStage.Ready && ledger.Stage == Stage.Commit)
        {
            _now.Stage = WorkStage.Publishing;
            effects.Add(new PublishUpdate(_now.Round));
        }

        if (_openings.TryGetValue(_now.Round, out var opening))
        {
            Open(ledger, me.Uid, opening, committed, effects);
        }

        WaitsFor = _now.Runs || _now.Stage == WorkStage.Publishing ? "its own training" : Waiting.ForOthers(ledger);
    }

    private void Open(LedgerState ledger, Uid uid, Opening opening, bool committed, List<Effect> effects)
    {
        if (ledger.Stage == Stage.Commit && !committed && _now is { Stage: WorkStage.Published, SaidCommit: false })
        {
            _now.SaidCommit = true;
            effects.Add(new Submit(new Commit(_now.Round, opening.Root(uid, _now.Round))));
        }
        else if (ledger.Stage == Stage.Reveal && committed && ledger.OpeningOf(uid) is null && !_now.SaidReveal)
        {
            _now.SaidReveal = true;
            effects.Add(new Submit(new Reveal(_now.Round, opening)));
        }
    }

    // The round that the replica stands before has not opened, for the one before it is being finished: what can be done for it is done.
    private void Prepare(LedgerState ledger, Member me, List<Effect> effects)
    {
        WorkAhead(_now, ledger, me, effects);
        if (_now.Stage == WorkStage.Trained)
        {
            Encode(effects);
        }

        WaitsFor = _now.Runs ? "its own training" : Waiting.ForOthers(ledger);
    }

    // The samples of the next round are known, and its base is the one at hand.
    private static void WorkAhead(PeerWork work, LedgerState ledger, Member me, List<Effect> effects)
    {
        if (work.Stage == WorkStage.None && !me.HasLeft && ledger.IsPlanned(me.Uid))
        {
            work.Stage = WorkStage.Training;
            effects.Add(new RunInnerSteps(work.Round));
        }
    }

    // One training at a time: that of the round itself must have left the buffers, or not be wanted any more. A round that waits, paused, is still wanted.
    private bool IsHandedOver(LedgerState ledger, Uid uid) => _now.Stage switch
    {
        WorkStage.Publishing or WorkStage.Published or WorkStage.Unusable => true,
        WorkStage.Training or WorkStage.Encoding => false,
        _ => ledger.Roster.Count > 0 && (!ledger.IsInRoster(uid) || (ledger.Stage > Stage.Commit && ledger.CommitOf(uid) is null)),
    };

    private void Train(PeerWork work, List<Effect> effects)
    {
        work.Stage = WorkStage.Training;
        WaitsFor = "its own training";
        effects.Add(new RunInnerSteps(work.Round));
    }

    private void Encode(List<Effect> effects)
    {
        _now.Stage = WorkStage.Encoding;
        WaitsFor = "its own training";
        effects.Add(new EncodeUpdate(_now.Round));
    }
}
