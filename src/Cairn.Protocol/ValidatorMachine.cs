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
    private Round _round = new(-1);
    private (Round, Stage) _armed = (new Round(-1), Stage.Commit);
    private Verdict? _verdict;
    private PostShares? _shares;
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
        _replica = new ReplicaTrack(self, next, lastBase);
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
        Observe(happened, ledger, effects);
        if (_finished || ledger.Find(_self) is not { } me)
        {
            return effects;
        }

        _replica.Follow(ledger, me.Uid, effects);
        if (_replica.Halted)
        {
            WaitsFor = "a person: this replica is wrong";
            return effects;
        }

        ArmDeadline(ledger, effects);
        if (_replica.Busy)
        {
            WaitsFor = "its own replica";
        }
        else if (_replica.Behind(ledger))
        {
            WaitsFor = "its own replica";
            effects.Add(_replica.Apply(ledger, me.Uid));
        }
        else if (ledger.Stage == Stage.Finished)
        {
            _finished = true;
            effects.Add(new Finish());
        }
        else
        {
            TakePart(ledger, me.Uid, effects);
        }

        return effects;
    }

    private void Observe(NodeEvent happened, LedgerState ledger, List<Effect> effects)
    {
        switch (happened)
        {
            case Judged judged:
                _verdict = judged.Verdict;
                break;
            case SharesReady ready:
                _shares = ready.Shares;
                break;
            case DeadlinePassed passed when passed.Round == ledger.CurrentRound && passed.Stage == ledger.Stage && ledger.Stage != Stage.Finished:
                effects.Add(new Submit(new Ledger.Timeout(passed.Round, passed.Stage)));
                break;
            default:
                if (_replica.Observe(happened) && _evaluates && happened is Applied applied)
                {
                    effects.Add(new Evaluate(applied.Round));
                }

                break;
        }
    }

    private void ArmDeadline(LedgerState ledger, List<Effect> effects)
    {
        var now = (ledger.CurrentRound, ledger.Stage);
        if (now != _armed && ledger.Stage != Stage.Finished)
        {
            _armed = now;
            effects.Add(new ArmDeadline(ledger.CurrentRound, ledger.Stage));
        }
    }

    private void TakePart(LedgerState ledger, Uid uid, List<Effect> effects)
    {
        var round = ledger.CurrentRound;
        if (round != _round)
        {
            _round = round;
            _said.Clear();
            _begun.Clear();
        }

        WaitsFor = $"the others ({ledger.Stage} of round {round})";
        switch (ledger.Stage)
        {
            case Stage.Reveal when ledger.BeaconOf(uid) is null && _said.Add(Stage.Reveal):
                effects.Add(new SubmitBeacon(round));
                break;
            case Stage.Judge when ledger.VerdictOf(uid) is null:
                WaitsFor = "its own checks and probes";
                if (_verdict?.Round != round)
                {
                    Begin(new JudgeUpdates(round), Stage.Judge, effects);
                }
                else if (_said.Add(Stage.Judge))
                {
                    effects.Add(new Submit(_verdict));
                }

                break;
            case Stage.Settle when ledger.SharesOf(uid) is null:
                WaitsFor = "its own checkpoint";
                if (_shares?.Round != round)
                {
                    Begin(new PrepareSettlement(round), Stage.Settle, effects);
                }
                else if (_said.Add(Stage.Settle))
                {
                    effects.Add(new Submit(_shares));
                }

                break;
            default:
                break;
        }
    }

    private void Begin(Effect effect, Stage stage, List<Effect> effects)
    {
        if (_begun.Add(stage))
        {
            effects.Add(effect);
        }
    }
}
