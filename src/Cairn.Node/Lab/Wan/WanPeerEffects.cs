using System.Collections.Concurrent;
using System.Diagnostics;
using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a peer's machine asks for, except the inner steps: they are a wait of declared length, in which the update is encoded. Sealing, putting,
/// committing, fetching and decoding are the real ones.</summary>
internal sealed class WanPeerEffects(RunContext run, NodeIdentity self, SharedEffects shared, WanReplica replica, SyntheticUpdate update, TimeSpan compute)
    : IEffectRunner
{
    private readonly Dictionary<Round, Digest> _receipts = [];
    private readonly ConcurrentDictionary<Round, byte[]> _encoded = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private double? _trainedAt;

    public void CaughtUp(LedgerState ledger) => shared.CaughtUp(ledger);

    public Task FinishAsync() => replica.FinishAsync();

    public ValueTask DisposeAsync() => shared.DisposeAsync();

    public void Notice(LedgerState ledger)
    {
        run.Stores.Notice(ledger);
        if (ledger.Stage == Stage.Commit && ledger.Find(self.Key.Public) is { } me && ledger.SamplesOf(me.Uid) is { Count: > 0 } samples)
        {
            // With an apply delay they were planned before, and stay what they were.
            _receipts[ledger.CurrentRound] = SampleReceipt.Of([.. samples]);
        }
    }

    public Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation)
    {
        var uid = ledger.Find(self.Key.Public)!.Uid;
        switch (effect)
        {
            case RunInnerSteps train:
                return TrainAsync(train.Round, uid, cancellation);
            case EncodeUpdate encode:
                return EncodeAsync(encode.Round, uid, cancellation);
            case PublishUpdate publish:
                return PublishAsync(publish.Round, uid, cancellation);
            case ApplyManifest apply:
                return replica.ApplyAsync(apply, ledger, cancellation);
            case Submit submit:
                shared.Say(submit.Operation);
                return Task.FromResult<NodeEvent?>(null);
            default:
                throw new InvariantViolation($"a run without computing does no {effect.GetType().Name}");
        }
    }

    private async Task<NodeEvent?> TrainAsync(Round round, Uid uid, CancellationToken cancellation)
    {
        var (began, before) = (_clock.Elapsed.TotalSeconds, _trainedAt);
        var encoding = run.Rules.Round.ApplyDelay == 0 ? EncodeAsync(round, uid, cancellation) : Task.CompletedTask;
        await Task.Delay(compute, run.Time, cancellation);
        await encoding;
        var now = _clock.Elapsed.TotalSeconds;
        _trainedAt = now;
        run.Log.Tell(new PeerTrained(self.Name, round.Number, double.NaN, double.NaN, 0, now - began, began - before, now - before));
        return new Trained(round, Usable: true);
    }

    private async Task<NodeEvent?> EncodeAsync(Round round, Uid uid, CancellationToken cancellation)
    {
        _encoded[round] = await Task.Run(() => update.Encode(run.RulesDigest, round, uid), cancellation);
        return new Encoded(round, Usable: true);
    }

    private async Task<NodeEvent?> PublishAsync(Round round, Uid uid, CancellationToken cancellation)
    {
        Invariant.Check(_encoded.TryRemove(round, out var payload) & _receipts.Remove(round, out var receipt));
        var says = new Opening(Digest.Zero, 0, Digest.Zero, replica.TrainingBase(round), receipt, Digest.Zero);
        var opening = await UpdatePublisher.PublishAsync(run, self, round, uid, payload!, says, cancellation);
        run.Log.Tell(new UpdatePublished(self.Name, round.Number, opening.SizeBytes, run.Grid.ValueCount, 4.0 * run.Grid.ElementCount / opening.SizeBytes));
        return new Published(round, opening);
    }
}
