using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A part of a run's training samples that its rounds walk through by itself: with a cursor, seeded orders and a line of samples to issue again of its
/// own. A round takes all its samples from one part.</summary>
/// <param name="Purpose">Names its orders among the random streams of the run.</param>
/// <param name="First">Its first sample.</param>
/// <param name="Count">How many it has, from there on; at least 1.</param>
public readonly record struct SamplePart(string Purpose, long First, long Count)
{
    /// <summary>What a run trains on up to its annealing; without one, all there is.</summary>
    /// <param name="count">Samples, at least 1.</param>
    public static SamplePart Main(long count) => new("epoch", 0, count);

    /// <summary>What a run trains on at its end.</summary>
    /// <param name="first">Its first sample.</param>
    /// <param name="count">Samples, at least 1.</param>
    public static SamplePart Annealing(long first, long count) => new("anneal-epoch", first, count);

    /// <summary>True for a sample of this part.</summary>
    /// <param name="sample">Any number.</param>
    public bool Holds(long sample) => sample >= First && sample - First < Count;

    /// <summary>The order of an epoch: place p holds sample <see cref="First"/> + At(p).</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">From 0.</param>
    public SeededPermutation OrderOf(ulong seed, long epoch) => new(Count, seed, Purpose, epoch);
}
