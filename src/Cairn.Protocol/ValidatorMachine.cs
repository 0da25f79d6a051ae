using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>What a validator does in a run, without doing any of it. Level-triggered like <see cref="PeerMachine"/>.</summary>
public sealed class ValidatorMachine
{
    private readonly PublicKey _self;
    private readonly bool _evaluates;
    private readonly ReplicaTrack _replica;
    // What was said and begun in the round that these belong to; a new round empties both.
    private readonly HashSet<Stage> _said = [];
    private readonly HashSet<Stage> _begun = [];
    private readonly StageDeadline _deadline = new();
    private Round _round = new(-1);
    private Verdict? _verdict;
    private PostShares? _shares;
    private int _readers;
    private bool _saidReturn;
    private bool _finished;

    /// <summary>Begins, or begins again after a restart.</summary>
    /// <param name="self">The validator's key.</param>
    /// <param name="next">The first round not yet applied to the durable replica.</param>
    /// <param name="lastBase">The base after the round before it; zero at the start of the run.</param>
    /// <param name="evaluates">True to measure the held-out loss after every round.</param>
    public ValidatorMachine(PublicKey self, Round next, Digest lastBase, bool evaluates)
    {
        _self = self;
        _evaluates = evaluates;
        _replica = new ReplicaTrack(next, lastBase);
    }

    /// <summary>What this validator waits for, in words.</summary>
    public string WaitsFor { get; private set; } = "the ledger";

    /// <summary>Takes one event and says what is to be done.</summary>
    /// <param name="happened">What happened.</param>
    /// <param name="ledger">The ledger now.</param>
    /// <returns>Effects in order; each is asked for once.</returns>
    public IReadOnlyList<Effect> Step(NodeEvent happened, LedgerState ledger)
    {
        var effects = new List<Effect>();
        Observe(happened, effects);
        if (_finished || ledger.Find(_self) is not { } me)
        {
            return effects;
        }

        BeginRound(ledger.CurrentRound);
        _replica.Follow(ledger, me.Uid, inUse: _readers > 0, effects);
        if (_replica.Halted)
        {
            WaitsFor = "a person: this replica is wrong";
            return effects;
        }

        _deadline.Arm(ledger, effects);
        if (_replica.Busy)
        {
            WaitsFor = "its own replica";
        }
        else if (_replica.Behind(ledger))
        {
            ApplyNext(ledger, me.Uid, effects);
        }
        else if (ledger.Stage == Stage.Finished)
        {
            _finished = true;
            effects.Add(new Finish());
        }
        else
        {
            TakePart(ledger, me, effects);
        }

        _deadline.Close(ledger, OwnPartIsDone(ledger, me.Uid), effects);
        return effects;
    }

    private void Observe(NodeEvent happened, List<Effect> effects)
    {
        switch (happened)
        {
            case Judged judged:
                _readers--;
                _verdict = judged.Verdict;
                break;
            case SharesReady ready:
                _readers--;
                _shares = ready.Shares;
                break;
            case DeadlinePassed passed:
                _deadline.Pass(passed);
                break;
            default:
                if (_replica.Observe(happened) && _evaluates && happened is Applied applied)
                {
                    effects.Add(new Evaluate(applied.Round));
                }

                break;
        }

        Invariant.Check(_readers >= 0);
    }

    private void BeginRound(Round round)
    {
        if (round != _round)
        {
            _round = round;
            _said.Clear();
            _begun.Clear();
            _saidReturn = false;
        }
    }

    // A stage may be closed by timeouts while this validator still judges or publishes: the base stays as it is until that has ended.
    private void ApplyNext(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        WaitsFor = "its own replica";
        if (_readers == 0)
        {
            effects.Add(_replica.Apply(ledger, uid));
        }
    }

    private void TakePart(LedgerState ledger, Member me, List<Effect> effects)
    {
        var (round, uid) = (ledger.CurrentRound, me.Uid);
        if (me is { Active: false, HasLeft: false } && !_saidReturn)
        {
            _saidReturn = true;
            effects.Add(new Submit(new Return(round)));
        }

        WaitsFor = Waiting.ForOthers(ledger);
        if (!ledger.Votes(uid))
        {
            return; // It has left or lost its voice: it follows, and says nothing that would be refused.
        }

        switch (ledger.Stage)
        {
            // Whoever commits must not know what will be probed when it decides whether to open.
            case Stage.Reveal when ledger.BeaconOf(uid) is null && (ledger.EveryCommitIsOpen || _deadline.HasPassed) && _said.Add(Stage.Reveal):
                effects.Add(new SubmitBeacon(round));
                break;
            case Stage.Judge when ledger.VerdictOf(uid) is null:
                WaitsFor = "its own checks and probes";
                SayOrBegin(_verdict?.Round == round ? _verdict : null, new JudgeUpdates(round), Stage.Judge, effects);
                break;
            case Stage.Settle when ledger.SharesOf(uid) is null:
                WaitsFor = "its own checkpoint";
                SayOrBegin(_shares?.Round == round ? _shares : null, new PrepareSettlement(round), Stage.Settle, effects);
                break;
            default:
                break;
        }
    }

    private void SayOrBegin(Operation? ready, Effect work, Stage stage, List<Effect> effects)
    {
        if (ready is null)
        {
            if (_begun.Add(stage))
            {
                _readers++;
                effects.Add(work);
            }
        }
        else if (_said.Add(stage))
        {
            effects.Add(new Submit(ready));
        }
    }

    // Who is himself waited for does not call the others late.
    private bool OwnPartIsDone(LedgerState ledger, Uid uid) => ledger.Votes(uid) && ledger.Stage switch
    {
        Stage.Reveal => ledger.BeaconOf(uid) is not null || _said.Contains(Stage.Reveal),
        Stage.Judge => ledger.VerdictOf(uid) is not null || _said.Contains(Stage.Judge),
        Stage.Apply => _replica.Next > ledger.CurrentRound && !_replica.Busy,
        Stage.Settle => ledger.SharesOf(uid) is not null || _said.Contains(Stage.Settle),
        _ => true,
    };
}
