using Cairn.Base;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Measures one round with all its updates and without each of them.</summary>
/// <remarks>Two ways of "without", since they answer different questions. Taken out: from the step that was made, one peer's part (its weight times what it sent,
/// clipped as it was) goes, and the others' parts stay: what that update did. Left out: the round is combined anew from the others, who weigh more: what the run
/// would have had
/// instead; a
/// peer that is as good as the others' mean has nothing there, and the sum over peers is near nothing by its making.
/// Cost: 2 + 2n measurements of the held-out sequences for n updates, 2 + n where the rule is no sum of parts. Memory: a base and a working copy beside the
/// engine's.</remarks>
internal sealed class RoundTrials(RunContext run, int sequences) : IDisposable
{
    private readonly Aggregator _aggregator = new(run.Grid, run.Aggregation);

    /// <summary>Sequences that are measured on: all there are if there are fewer than wanted.</summary>
    public int Sequences { get; } = run.HeldOut.CountOf(sequences);

    /// <summary>True if a step is the sum of what each update gave.</summary>
    public bool HasParts => run.Aggregation.Rule == AggregationRule.Mean;

    /// <summary>How many times the held-out sequences are measured for a round of so many updates.</summary>
    public int MeasurementsOf(int updates) => 2 + ((HasParts ? 2 : 1) * updates);

    /// <summary>Makes a round's step.</summary>
    /// <param name="contributions">Of the round; at least one.</param>
    /// <param name="target">Stepped in place.</param>
    /// <returns>What each update was multiplied by in each tensor.</returns>
    public float[][] Step(IReadOnlyList<Contribution> contributions, Parameters target)
    {
        var (factors, rate) = (new float[run.Grid.TensorCount][], RateOf(contributions));
        _aggregator.Aggregate(contributions, (tensor, mean, its) =>
        {
            OuterStep.Apply(run.Grid.Slice(target.Span, tensor), mean, rate);
            factors[tensor] = its.ToArray();
        });
        return factors;
    }

    /// <summary>Measures a round.</summary>
    /// <param name="engine">Computes.</param>
    /// <param name="before">The base before the round.</param>
    /// <param name="after">Receives the base after it.</param>
    /// <param name="contributions">The round's updates in uid order; at least one.</param>
    /// <param name="nameOf">Names of peers.</param>
    /// <param name="measured">Told after each measurement.</param>
    public RoundContribution Measure(
        Engine engine, Parameters before, Parameters after, IReadOnlyList<Contribution> contributions, Func<Uid, string> nameOf, Action measured)
    {
        after.CopyFrom(before);
        var factors = Step(contributions, after);
        var (lossBefore, lossAfter) = (Losses(before), Losses(after));
        var weight = contributions.Sum(one => one.Samples);
        var overlaps = Overlap.AmongAll([.. contributions.Select(one => one.Update)]);
        var peers = new List<PeerEffect>();
        for (var i = 0; i < contributions.Count; i++)
        {
            var takenOut = HasParts ? Losses(TakeOut(engine.Local, after, contributions[i], weight, i, factors)) : null;
            var leftOut = Losses(LeaveOut(engine.Local, before, contributions, i));
            var own = contributions[i].Update;
            var overlap = overlaps.Where(pair => pair.A == i || pair.B == i).Select(pair => (double)pair.Overlap.Shared / Math.Max(1, pair.Overlap.Total));
            var same = contributions.Where((other, place) => place != i && SayTheSame(own, other.Update)).Select(other => nameOf(other.Update.Uid));
            peers.Add(new PeerEffect(
                own.Uid.Value, nameOf(own.Uid), (double)contributions[i].Samples / weight, takenOut is null ? null : Differences(takenOut, lossAfter),
                Differences(leftOut, lossAfter), overlap.DefaultIfEmpty(0).Max(), [.. same]));
        }

        _aggregator.Rest();
        return new RoundContribution(
            contributions[0].Update.Round.Number, before.Digest().ToString(), lossBefore.Average(), lossAfter.Average(), Differences(lossBefore, lossAfter), peers);

        double[] Losses(Parameters parameters)
        {
            var losses = run.HeldOut.Losses(engine, parameters, Sequences);
            measured();
            return losses;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _aggregator.Dispose();

    // Votes may have changed it.
    private float RateOf(IReadOnlyList<Contribution> contributions) => (float)run.RulesBook.At(contributions[0].Update.Round).Sparse.OuterRate;

    private Parameters TakeOut(Parameters local, Parameters after, Contribution one, long weight, int place, float[][] factors)
    {
        local.CopyFrom(after);
        var rate = RateOf([one]);
        var share = (float)((double)one.Samples / weight);
        for (var tensor = 0; tensor < run.Grid.TensorCount; tensor++)
        {
            one.Update[tensor].SubtractFrom(-rate * share * factors[tensor][place], run.Grid.Slice(local.Span, tensor));
        }

        return local;
    }

    private Parameters LeaveOut(Parameters local, Parameters before, IReadOnlyList<Contribution> contributions, int place)
    {
        local.CopyFrom(before);
        List<Contribution> others = [.. contributions.Where((_, i) => i != place)];
        if (others.Count > 0)
        {
            Step(others, local);
        }

        return local;
    }

    // Of two losses that are both no number nothing can be said, which is written as no number.
    private static float[] Differences(double[] without, double[] with) => [.. without.Zip(with, (a, b) => (float)(a - b))];

    private static bool SayTheSame(ISparseUpdate a, ISparseUpdate b)
    {
        for (var tensor = 0; tensor < a.Grid.TensorCount; tensor++)
        {
            var (one, other) = (a[tensor], b[tensor]);
            if (!one.Indices.SequenceEqual(other.Indices) || !one.Codes.SequenceEqual(other.Codes) || !one.Scales.SequenceEqual(other.Scales)
                || !one.Book.Table.SequenceEqual(other.Book.Table))
            {
                return false;
            }
        }

        return true;
    }
}
