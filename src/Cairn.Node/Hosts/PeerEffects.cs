using System.Diagnostics;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>Does what a peer's machine asks for.</summary>
internal sealed class PeerEffects : IEffectRunner
{
    private readonly RunContext _run;
    private readonly NodeIdentity _self;
    private readonly Replica _replica;
    private readonly SharedEffects _shared;
    private readonly SortedDictionary<Round, Assignment> _assignments = [];
    private TrainingOutcome? _outcome;

    public PeerEffects(RunContext run, NodeIdentity self, Replica replica, SharedEffects shared)
    {
        (_run, _self, _replica, _shared) = (run, self, replica, shared);
    }

    public void CaughtUp(LedgerState ledger) => _shared.CaughtUp(ledger);

    public void Notice(LedgerState ledger)
    {
        _run.Stores.Notice(ledger);
        // Assignments are kept as the ledger passes by, so that a restarted peer can repeat rounds that have closed meanwhile, the last applied one included:
        // disagreement may lead back to it.
        if (ledger.Stage == Stage.Commit && ledger.CurrentRound.Number + 1 >= _replica.Next.Number
            && !_assignments.ContainsKey(ledger.CurrentRound) && ledger.Find(_self.Key.Public) is { } me
            && ledger.SamplesOf(me.Uid) is { Count: > 0 } samples)
        {
            _assignments[ledger.CurrentRound] = new Assignment(ledger.CurrentRound, [.. samples], ledger.StepsDone * _run.Rules.Training.InnerSteps);
            while (_assignments.Keys.First().Number + 1 < _replica.Next.Number)
            {
                _assignments.Remove(_assignments.Keys.First());
            }
        }
    }

    public Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation) => effect switch
    {
        RunInnerSteps train => TrainAsync(_assignments[train.Round], ledger.Find(_self.Key.Public)!.Uid, cancellation),
        PublishUpdate publish => PublishAsync(publish.Round, ledger.Find(_self.Key.Public)!.Uid, cancellation),
        ApplyManifest apply => _shared.ApplyAsync(_replica, apply, ledger, _ => Task.FromResult<byte[]>([]), cancellation),
        _ => _shared.BeginAsync(_replica, effect, ledger, cancellation),
    };

    private async Task<NodeEvent?> TrainAsync(Assignment assignment, Uid uid, CancellationToken cancellation)
    {
        using var lease = await _run.Engines.RentAsync(cancellation);
        return await Task.Run(
            NodeEvent? () =>
            {
                var (round, steps, clock) = (assignment.Round.Number, _run.Rules.Training.InnerSteps, Stopwatch.StartNew());
                _outcome = _replica.Train(lease.Engine, uid, assignment, step => _run.Log.Tell(new PeerTraining(_self.Name, round, step, steps)), cancellation);
                _run.Log.Tell(new PeerTrained(
                    _self.Name, round, _outcome.Losses[0], _outcome.Losses[^1], _run.Rules.TokensPerPeer, clock.Elapsed.TotalSeconds));
                return new Trained(assignment.Round, _outcome.Update is not null);
            },
            cancellation);
    }

    // The order is the safety: object in the store, opening on the disk, only then the commit.
    private async Task<NodeEvent?> PublishAsync(Round round, Uid uid, CancellationToken cancellation)
    {
        Invariant.Check(_outcome?.Update is not null);
        if (_self.Outbox.FindOpening(round) is { } before && (before.BaseDigest == _replica.BaseDigest || _self.Outbox.HoldsCommit(round)))
        {
            // A commit of an earlier life hides that opening and no other.
            return new Published(round, before);
        }

        var sealedUpdate = Envelope.Seal(_self.Key, new EnvelopeHeader(EnvelopeKind.Update, _run.RulesDigest, round, uid), _outcome.Update);
        var opening = new Opening(
            sealedUpdate.ObjectDigest, sealedUpdate.Ciphertext.Length, sealedUpdate.Key, _replica.BaseDigest, _outcome.Receipt, _outcome.Trace);
        await PatientPut.PutAsync(_run, _self.Name, ObjectKey.Update(round, opening.ObjectDigest), sealedUpdate.Ciphertext, cancellation);
        _self.Outbox.KeepOpening(round, opening);
        _run.Log.Tell(new UpdatePublished(
            _self.Name, round.Number, opening.SizeBytes, _run.Grid.ValueCount, 4.0 * _run.Grid.ElementCount / opening.SizeBytes));
        return new Published(round, opening);
    }
}
