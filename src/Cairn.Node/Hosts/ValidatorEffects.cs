using System.Diagnostics;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a validator's machine asks for.</summary>
internal sealed class ValidatorEffects : IEffectRunner
{
    private const int EvaluatedSamples = 64;
    private readonly RunContext _run;
    private readonly NodeIdentity _self;
    private readonly Replica _replica;
    private readonly SharedEffects _shared;
    private readonly Judge _judge;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public ValidatorEffects(RunContext run, NodeIdentity self, Replica replica, SharedEffects shared, bool tells)
    {
        (_run, _self, _replica, _shared) = (run, self, replica, shared);
        _judge = new Judge(run, self.Name, replica);
        Tells = tells;
    }

    /// <summary>True for the one validator that tells the stages and the held-out loss of the run.</summary>
    private bool Tells { get; }

    private (Round, Stage) _told = (new Round(-1), Stage.Finished);

    public void Notice(LedgerState ledger)
    {
        var now = (ledger.CurrentRound, ledger.Stage);
        if (Tells && now != _told)
        {
            _told = now;
            _run.Log.Tell(new StageChanged(ledger.CurrentRound.Number, ledger.Stage.ToString()));
        }
    }

    public Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation)
    {
        switch (effect)
        {
            case SubmitBeacon beacon:
                _shared.Say(new Beacon(beacon.Round, Preimage(ledger)));
                return Task.FromResult<NodeEvent?>(null);
            case JudgeUpdates judge:
                return _judge.BeginAsync(judge.Round, RoundCase.Of(ledger), cancellation);
            case ApplyManifest apply:
                return _shared.ApplyAsync(_replica, apply, ledger, _judge.BookAfter(apply), cancellation);
            case PrepareSettlement settle:
                return SettleAsync(settle.Round, cancellation);
            case Evaluate evaluate:
                return EvaluateAsync(evaluate.Round, ledger.SamplesTrained * _run.Rules.Model.Context, cancellation);
            default:
                return _shared.BeginAsync(_replica, effect, ledger, cancellation);
        }
    }

    /// <summary>Measures the loss of the initial parameters, once, before the first round.</summary>
    public async Task TellInitialLossAsync(CancellationToken cancellation)
    {
        if (Tells && _replica.Next.Number == 0)
        {
            await EvaluateAsync(new Round(-1), 0, cancellation);
        }
    }

    private Digest Preimage(LedgerState ledger)
    {
        var tip = ledger.Find(_self.Key.Public)!.ChainTip;
        Invariant.Check(BeaconChain.TryPreimage(RunCreator.BeaconSecret(_run.Rules, _self.Name), _run.Rules.Round.Rounds, tip, out var preimage));
        return preimage;
    }

    private async Task<NodeEvent?> SettleAsync(Round round, CancellationToken cancellation)
    {
        var digest = await CheckpointFolder.PublishAsync(_run, round, _replica.Base, cancellation);
        _run.Log.Tell(new CheckpointSaved(
            _self.Name, round.Number, digest.ToString(), Path.Combine(_run.Directory.Checkpoints, round.Number.ToString("D6"))));
        return new SharesReady(round, new PostShares(round, _judge.Shares(), digest));
    }

    private async Task<NodeEvent?> EvaluateAsync(Round round, long tokens, CancellationToken cancellation)
    {
        using var lease = await _run.Engines.RentAsync(cancellation);
        await Task.Run(
            () =>
            {
                // The base may move on while the loss is measured: measure a copy, taken while the round cannot close without this node.
                lease.Engine.Local.CopyFrom(_replica.Base);
                var measured = _run.HeldOut.Measure(lease.Engine, lease.Engine.Local, EvaluatedSamples);
                _run.Log.Tell(new LossEvaluated(round.Number, measured.Loss, measured.BitsPerByte, tokens, _clock.Elapsed.TotalSeconds));
            },
            cancellation);
        return null;
    }
}
