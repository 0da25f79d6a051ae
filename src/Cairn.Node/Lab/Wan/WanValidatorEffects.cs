using Cairn.Base;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a validator's machine asks for, except what takes a model: every update is fetched, fast-checked, held and accepted, none is probed.</summary>
internal sealed class WanValidatorEffects(RunContext run, NodeIdentity self, SharedEffects shared, WanReplica replica, bool tells) : IEffectRunner
{
    private (Round, Stage) _told = (new Round(-1), Stage.Finished);

    public void CaughtUp(LedgerState ledger) => shared.CaughtUp(ledger);

    public Task FinishAsync() => replica.FinishAsync();

    public ValueTask DisposeAsync() => shared.DisposeAsync();

    public void Notice(LedgerState ledger)
    {
        run.Stores.Notice(ledger);
        var now = (ledger.CurrentRound, ledger.Stage);
        if (tells && now != _told)
        {
            _told = now;
            run.Log.Tell(new StageChanged(ledger.CurrentRound.Number, ledger.Stage.ToString()));
        }
    }

    public Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation)
    {
        switch (effect)
        {
            case SubmitBeacon beacon:
                return SayAsync(new Beacon(beacon.Round, Preimage(ledger)));
            case JudgeUpdates judge:
                return JudgeAsync(judge.Round, RoundCase.Of(ledger), cancellation);
            case ApplyManifest apply:
                return replica.ApplyAsync(apply, ledger, cancellation);
            case PrepareSettlement settle:
                return Task.FromResult<NodeEvent?>(new SharesReady(settle.Round, new PostShares(settle.Round, [], replica.Base)));
            case Submit submit:
                return SayAsync(submit.Operation);
            default:
                throw new InvariantViolation($"a run without computing does no {effect.GetType().Name}");
        }
    }

    private Task<NodeEvent?> SayAsync(Operation operation)
    {
        shared.Say(operation);
        return Task.FromResult<NodeEvent?>(null);
    }

    private async Task<NodeEvent?> JudgeAsync(Round round, RoundCase roundCase, CancellationToken cancellation)
    {
        using var found = await Judge.CheckAsync(run, self.Name, replica.TrainingBase(round), round, roundCase.Peers, cancellation);
        await found.Holding;
        found.KeepOpened(run, round, roundCase.Peers, [.. found.Updates.Keys]);
        var entries = roundCase.Peers.Zip(found.Checks).Select(pair => new VerdictEntry(pair.First.Uid, pair.Second.Reason, pair.First.Samples.Length));
        foreach (var (uid, detail) in found.Details)
        {
            run.Log.Tell(new UpdateLeftOut(roundCase.Peers.First(peer => peer.Uid == uid).Name, round.Number, detail));
        }

        return new Judged(round, new Verdict(round, [.. entries]));
    }

    private Digest Preimage(LedgerState ledger)
    {
        var tip = ledger.Find(self.Key.Public)!.ChainTip;
        Invariant.Check(BeaconChain.TryPreimage(RunCreator.BeaconSecret(run.Directory, run.Rules, self.Name), run.Rules.Round.Rounds, tip, out var preimage));
        return preimage;
    }
}
