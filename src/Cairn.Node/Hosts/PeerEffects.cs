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
    private readonly int? _steps;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private double? _trainedAt;
    // What is being published, and with an apply delay what is trained ahead of it.
    private TrainingOutcome? _outcome;
    private TrainingOutcome? _ahead;
    private Round _declaredIn = new(-1);

    /// <summary>Begins.</summary>
    /// <param name="run">The run.</param>
    /// <param name="self">The peer.</param>
    /// <param name="replica">Its replica.</param>
    /// <param name="shared">What both roles do.</param>
    /// <param name="steps">Inner steps that it does in a round; null to leave that as it is.</param>
    public PeerEffects(RunContext run, NodeIdentity self, Replica replica, SharedEffects shared, int? steps)
    {
        (_run, _self, _replica, _shared, _steps) = (run, self, replica, shared, steps);
    }

    public void CaughtUp(LedgerState ledger)
    {
        _shared.CaughtUp(ledger);
        if (_steps * _run.Rules.Training.Batch is { } samples && ledger.Find(_self.Key.Public) is { HasLeft: false } me
            && _declaredIn != ledger.CurrentRound && ledger.Stage != Stage.Finished && samples != ledger.SamplesToCome(me))
        {
            _declaredIn = ledger.CurrentRound;
            _shared.Say(new Declare(ledger.CurrentRound, samples));
        }
    }

    public Task FinishAsync() => _shared.FinishAsync();

    public ValueTask DisposeAsync() => _shared.DisposeAsync();

    public void Notice(LedgerState ledger)
    {
        _run.RulesBook.Follow(ledger);
        _run.Stores.Notice(ledger);
        // Assignments are kept as the ledger passes by, so that a restarted peer can repeat rounds that have closed meanwhile, the last applied one included:
        // disagreement may lead back to it.
        if (ledger.Find(_self.Key.Public) is not { } me)
        {
            return;
        }

        if (ledger.Stage == Stage.Commit)
        {
            Keep(ledger, ledger.CurrentRound, () => ledger.SamplesOf(me.Uid));
        }

        Keep(ledger, ledger.CurrentRound.Next, () => ledger.PlannedSamplesOf(me.Uid));
    }

    private void Keep(LedgerState ledger, Round round, Func<IReadOnlyList<long>> assigned)
    {
        if (round.Number + 1 >= _replica.Next.Number && !_assignments.ContainsKey(round) && assigned() is { Count: > 0 } samples)
        {
            _assignments[round] = new Assignment(round, [.. samples], ledger.StepsBefore(round) * _run.Rules.Training.InnerSteps);
            while (_assignments.Keys.First().Number + 1 < _replica.Next.Number)
            {
                _assignments.Remove(_assignments.Keys.First());
            }
        }
    }

    public Task<NodeEvent?> BeginAsync(Effect effect, LedgerState ledger, CancellationToken cancellation) => effect switch
    {
        RunInnerSteps train => TrainAsync(_assignments[train.Round], ledger.Find(_self.Key.Public)!.Uid, cancellation),
        EncodeUpdate encode => EncodeAsync(encode.Round, ledger.Find(_self.Key.Public)!.Uid, cancellation),
        PublishUpdate publish => PublishAsync(publish.Round, ledger.Find(_self.Key.Public)!.Uid, cancellation),
        ApplyManifest apply => ApplyAsync(apply, ledger, cancellation),
        _ => _shared.BeginAsync(_replica, effect, ledger, cancellation),
    };

    private Task<NodeEvent?> ApplyAsync(ApplyManifest apply, LedgerState ledger, CancellationToken cancellation)
    {
        if (!apply.Included && apply.Round == ledger.CurrentRound && ledger.Find(_self.Key.Public) is { } me && ledger.CommitOf(me.Uid) is not null)
        {
            var words = ledger.Members.Select(member => ledger.VerdictOf(member.Uid)).OfType<Verdict>()
                .Select(verdict => verdict.Entries.FirstOrDefault(entry => entry.Uid == me.Uid).Reason.ToString());
            _run.Log.Tell(new UpdateLeftOut(_self.Name, apply.Round.Number, string.Join(", ", words.DefaultIfEmpty("no verdict in time"))));
        }

        return _shared.ApplyAsync(_replica, apply, ledger, _ => Task.FromResult<byte[]>([]), cancellation);
    }

    private async Task<NodeEvent?> TrainAsync(Assignment assignment, Uid uid, CancellationToken cancellation)
    {
        // From here on there are inner steps to be done, whoever has the engines.
        var idle = _clock.Elapsed.TotalSeconds - _trainedAt;
        using var lease = await _run.Engines.RentAsync(cancellation);
        return await Task.Run(
            NodeEvent? () =>
            {
                var (round, steps, clock) = (assignment.Round.Number, assignment.Samples.Length / _run.Rules.Training.Batch, Stopwatch.StartNew());
                var outcome = _replica.Train(lease.Engine, uid, assignment, step => _run.Log.Tell(new PeerTraining(_self.Name, round, step, steps)), cancellation);
                (_outcome, _ahead) = _run.Rules.Round.ApplyDelay == 0 ? (outcome, null) : (_outcome, outcome);
                if (outcome.Losses.Count > 0)
                {
                    var (now, before) = (_clock.Elapsed.TotalSeconds, _trainedAt);
                    _trainedAt = now;
                    _run.Log.Tell(new PeerTrained(
                        _self.Name, round, outcome.Losses[0], outcome.Losses[^1], (long)assignment.Samples.Length * _run.Rules.Model.Context,
                        clock.Elapsed.TotalSeconds, idle, now - before));
                }

                return new Trained(assignment.Round, outcome.Usable);
            },
            cancellation);
    }

    private Task<NodeEvent?> EncodeAsync(Round round, Uid uid, CancellationToken cancellation) => Task.Run(
        NodeEvent? () =>
        {
            _outcome = _ahead! with { Update = _replica.Encode(uid) };
            return new Encoded(round, _outcome.Update is not null);
        },
        cancellation);

    private async Task<NodeEvent?> PublishAsync(Round round, Uid uid, CancellationToken cancellation)
    {
        // Read before anything is waited for: the next round's training may take its place. What that begins from is durable before the commit is said.
        var outcome = _outcome;
        Invariant.Check(outcome?.Update is not null);
        var beginning = _run.Rules.Round.ApplyDelay == 0 ? Task.CompletedTask : Task.Run(_replica.BeginAhead, CancellationToken.None);
        if (_self.Outbox.FindOpening(round) is { } before && (before.BaseDigest == outcome.Base || _self.Outbox.HoldsCommit(round)))
        {
            // A commit of an earlier life hides that opening and no other. Before it is said, the object must be where others look for it now.
            if (_self.Outbox.HoldsCommit(round) || await _run.Stores.Own.ExistsAsync(ObjectKey.Update(round, before.ObjectDigest), cancellation))
            {
                await beginning;
                return new Published(round, before);
            }
        }

        var says = new Opening(Digest.Zero, 0, Digest.Zero, outcome.Base, outcome.Receipt, outcome.Trace);
        var opening = await UpdatePublisher.PublishAsync(_run, _self, round, uid, outcome.Update, says, cancellation);
        _run.Log.Tell(new UpdatePublished(
            _self.Name, round.Number, opening.SizeBytes, _run.Grid.ValueCount, 4.0 * _run.Grid.ElementCount / opening.SizeBytes));
        await beginning;
        return new Published(round, opening);
    }
}
