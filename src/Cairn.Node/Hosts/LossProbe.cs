using Cairn.Base;
using Cairn.Data;
using Cairn.Gauntlet;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Measures what one update alone does to the loss, on samples assigned to its author and on samples that nobody was given this round: paired
/// differences on the same sequences, drawn by the round's beacon after the commits were final.</summary>
internal sealed class LossProbe(RunContext run, Replica replica)
{
    /// <summary>Probes the chosen peers of a round, as many at a time as there are engines.</summary>
    public async Task<IReadOnlyDictionary<Uid, LossScore>> MeasureAsync(
        Round number, RoundCase round, IReadOnlyList<Uid> chosen, IReadOnlyDictionary<Uid, EncodedUpdate> updates, CancellationToken cancellation)
    {
        if (chosen.Count == 0)
        {
            return new Dictionary<Uid, LossScore>();
        }

        // The outer step of a round of one, by a part of its rate.
        var rules = run.RulesBook.At(number);
        var rate = (float)(rules.Sparse.OuterRate * rules.Round.ProbeStep);
        var issued = round.Peers.SelectMany(p => p.Samples).ToHashSet();
        var half = run.Rules.Round.ProbeSequences / 2;
        var heldBack = ProbeSamples.NotIssued(round.Beacon, round.Part.First, round.Part.Count, issued, half);
        var heldBackBefore = await WithEngineAsync(engine => Losses(engine, replica.Base, heldBack), cancellation);
        var tasks = chosen.Select(async uid =>
        {
            var assigned = ProbeSamples.OfPeer(round.Beacon, uid, round.Peers.First(p => p.Uid == uid).Samples, half);
            var score = await WithEngineAsync(engine => Score(engine, rate, updates[uid], assigned, heldBack, heldBackBefore), cancellation);
            return (uid, score);
        });
        return (await Task.WhenAll(tasks)).ToDictionary(t => t.uid, t => t.score);
    }

    private LossScore Score(Engine engine, float rate, EncodedUpdate update, long[] assigned, long[] heldBack, double[] heldBackBefore)
    {
        var assignedBefore = Losses(engine, replica.Base, assigned);
        engine.Local.CopyFrom(replica.Base);
        StepOfOne.Apply(update, engine.Local.Span, rate);
        return LossScore.Of(assignedBefore, Losses(engine, engine.Local, assigned), heldBackBefore, Losses(engine, engine.Local, heldBack));
    }

    private double[] Losses(Engine engine, Parameters parameters, long[] samples)
    {
        var (losses, length) = (new double[samples.Length], run.Rules.Model.Context);
        LossEvaluation.PerSample(
            engine.Transformer, parameters, (i, tokens, targets) => run.Data.CopySample(samples[i], length, tokens, targets), length, losses);
        return losses;
    }

    private async Task<T> WithEngineAsync<T>(Func<Engine, T> work, CancellationToken cancellation)
    {
        using var lease = await run.Engines.RentAsync(cancellation);
        return await Task.Run(() => work(lease.Engine), cancellation);
    }
}
