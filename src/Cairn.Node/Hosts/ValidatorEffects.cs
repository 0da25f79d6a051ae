using System.Diagnostics;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a validator's machine asks for.</summary>
internal sealed class ValidatorEffects : IEffectRunner
{
    private readonly RunContext _run;
    private readonly NodeIdentity _self;
    private readonly Replica _replica;
    private readonly SharedEffects _shared;
    private readonly Judge _judge;
    private readonly SortedDictionary<Round, RoundCase> _cases = [];
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

    public void CaughtUp(LedgerState ledger) => _shared.CaughtUp(ledger);

    public Task FinishAsync() => _shared.FinishAsync();

    public ValueTask DisposeAsync() => _shared.DisposeAsync();

    public void Notice(LedgerState ledger)
    {
        _run.RulesBook.Follow(ledger);
        _run.Stores.Notice(ledger);
        KeepCase(ledger);
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
                var paidBefore = ledger.PaidIn(new Round(apply.Round.Number - 1));
                return _shared.ApplyAsync(
                    _replica, apply, ledger, there => BookAsync(there ? _cases.GetValueOrDefault(apply.Round) : null, apply.Round, paidBefore, cancellation),
                    cancellation);
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

    // Rounds that this validator has judged are kept as the ledger passes by: what it learned from them is durable only with the state after them, so that
    // a restart in between, or a state of some rounds ago, judges them again. Beacon-drawn probes of the same updates give the same numbers.
    private void KeepCase(LedgerState ledger)
    {
        var round = ledger.CurrentRound;
        if (round.Number + 1 >= _replica.Next.Number && ledger.Stage >= Stage.Judge && !_cases.ContainsKey(round)
            && ledger.Find(_self.Key.Public) is { } me && ledger.VerdictOf(me.Uid) is not null)
        {
            _cases.Add(round, RoundCase.Of(ledger));
            while (_cases.Keys.First().Number + 1 < _replica.Next.Number)
            {
                _cases.Remove(_cases.Keys.First());
            }
        }
    }

    private async Task<byte[]> BookAsync(RoundCase? roundCase, Round round, bool paidBefore, CancellationToken cancellation)
    {
        if (roundCase is not null && !_judge.Knows(round))
        {
            await _judge.BeginAsync(round, roundCase, cancellation);
        }

        return _judge.BookAfter(round, paidBefore);
    }

    private Digest Preimage(LedgerState ledger)
    {
        var tip = ledger.Find(_self.Key.Public)!.ChainTip;
        Invariant.Check(BeaconChain.TryPreimage(RunCreator.BeaconSecret(_run.Directory, _run.Rules, _self.Name), _run.Rules.Round.Rounds, tip, out var preimage));
        return preimage;
    }

    private async Task<NodeEvent?> SettleAsync(Round round, CancellationToken cancellation)
    {
        var shares = _judge.Shares(round);
        var digest = await CheckpointFolder.PublishAsync(_run, _self.Name, round, _replica.Base, cancellation);
        _run.Log.Tell(new CheckpointSaved(
            _self.Name, round.Number, digest.ToString(), $"{_run.Stores.Own.Name}/{ObjectKey.CheckpointPrefix(round).TrimEnd('/')}"));
        return new SharesReady(round, new PostShares(round, shares, digest));
    }

    private async Task<NodeEvent?> EvaluateAsync(Round round, long tokens, CancellationToken cancellation)
    {
        using var lease = await _run.Engines.RentAsync(cancellation);
        await Task.Run(
            () =>
            {
                // The base may move on while the loss is measured: measure a copy. Where it has moved on already, the next round is measured anyway.
                if (!_replica.TryCopyBase(round.Next, lease.Engine.Local))
                {
                    return;
                }

                var measured = _run.HeldOut.Measure(lease.Engine, lease.Engine.Local, Swarm.CurveSamples);
                _run.Log.Tell(new LossEvaluated(round.Number, measured.Loss, measured.BitsPerByte, tokens, _clock.Elapsed.TotalSeconds));
                if (round.Number < 0 || _run.Rules.ToLedgerRules().Settles(round))
                {
                    _run.Log.Tell(new TextSampled(round.Number, SampleText.Of(_run.Data.Tokenizer, lease.Engine, lease.Engine.Local)));
                }
            },
            cancellation);
        return null;
    }
}
