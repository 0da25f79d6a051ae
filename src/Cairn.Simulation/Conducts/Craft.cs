using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>What a peer has at hand when it makes its update.</summary>
internal sealed class Craft(World world, SimNode node, Round round)
{
    /// <summary>How much of the error is kept from round to round.</summary>
    private const double ErrorDecay = 0.95;

    public World World => world;

    public SimNode Node => node;

    public Round Round => round;

    public IObjective Objective => world.Objective;

    /// <summary>What it was assigned.</summary>
    public ReadOnlySpan<long> Samples => world.Oracle.Assigned(round, node.Uid!.Value);

    /// <summary>Its own chance, which shifts nobody else's.</summary>
    public SeededRandom Random => new(world.Scenario.Seed, "adversary", node.Member, round.Number);

    /// <summary>What the protocol asks.</summary>
    public Crafted Honest() => From(node.Replica.TrainsFrom.Point, Samples);

    /// <summary>Trains on samples into which a back door was put; null if this objective has none.</summary>
    public Crafted? Poisoned() => Objective is IPoisonable model ? With(model.TrainPoisoned(node.Replica.TrainsFrom.Point, Samples)) : null;

    /// <summary>Trains from any base on any samples, with the own error feedback.</summary>
    public Crafted From(ModelPoint point, ReadOnlySpan<long> samples) => With(Objective.Train(point, samples));

    private Crafted With(double[] sum)
    {
        if (node.Replica.Feedback is { } feedback)
        {
            for (var i = 0; i < sum.Length; i++)
            {
                sum[i] += ErrorDecay * feedback[i];
            }
        }

        var move = Objective.Compress(sum);
        for (var i = 0; i < move.Places.Length; i++)
        {
            sum[move.Places[i]] -= move.Values[i];
        }

        return new Crafted(move, sum);
    }

    /// <summary>Random places and signs, as long as an honest update of this round.</summary>
    public Crafted Noise()
    {
        var random = Random;
        var sum = new double[Objective.Length];
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] = random.NextDouble() - 0.5;
        }

        return Scaled(Objective.Compress(sum), TypicalValue() * 4);
    }

    /// <summary>The update that another peer makes in this round, if it tells its friends before the commit; null if it has not made it yet.</summary>
    public SparseMove? Leaked() => world.LeakOf(round, node.Plan.Other);

    /// <summary>The update of another peer that was opened in the round before; null if there is none.</summary>
    public SparseMove? Revealed() => round.Number == 0 ? null : world.MoveIn(new Round(round.Number - 1), node.Uid!.Value);

    /// <summary>Takes some of one update and some of another, and chooses the largest anew.</summary>
    public Crafted Blend(SparseMove a, double partA, SparseMove b, double partB)
    {
        var sum = new double[Objective.Length];
        Add(sum, a, partA);
        Add(sum, b, partB);
        return new Crafted(Objective.Compress(sum), null);
    }

    public static Crafted Scaled(SparseMove move, double factor) => new(move with { Values = [.. move.Values.Select(value => value * factor)] }, null);

    // How large the values of the last manifest were: a fake of an unlikely size would be found by it.
    private double TypicalValue() => Revealed() is { } other ? other.Values.Max(Math.Abs) : 0.5;

    private static void Add(double[] sum, SparseMove move, double part)
    {
        for (var i = 0; i < move.Places.Length; i++)
        {
            sum[move.Places[i]] += part * move.Values[i];
        }
    }
}
