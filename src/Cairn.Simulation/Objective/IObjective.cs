using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>Parameters at one moment, immutable, named by their digest. What they are, only the objective knows.</summary>
public abstract class ModelPoint
{
    /// <summary>Names the parameters: equal digest, equal bits.</summary>
    public abstract Digest Digest { get; }
}

/// <summary>A compressed update: which places are sent, and the values there.</summary>
/// <param name="Places">Strictly rising.</param>
/// <param name="Values">One for each place.</param>
public sealed record SparseMove(int[] Places, double[] Values)
{
    private string? _name;

    /// <summary>The places as a text, to look for the same ones.</summary>
    internal string PlacesName => _name ??= new string(System.Runtime.InteropServices.MemoryMarshal.Cast<int, char>(Places));
}

/// <summary>One update's part in a round.</summary>
/// <param name="Move">What is applied.</param>
/// <param name="Weight">As the manifest says.</param>
public readonly record struct MovePart(SparseMove Move, long Weight);

/// <summary>What a simulated swarm trains: the seam between the simulation, which knows rounds, faults and cheats, and an optimisation problem. All methods
/// are pure: same arguments, same bits.</summary>
public interface IObjective
{
    /// <summary>Parameters of the model.</summary>
    int Length { get; }

    /// <summary>Places that an update sends.</summary>
    int Keep { get; }

    /// <summary>The most bytes of a written update.</summary>
    int BytesMax { get; }

    /// <summary>The base of round 0.</summary>
    ModelPoint Start { get; }

    /// <summary>Trains from a base.</summary>
    /// <param name="from">The base.</param>
    /// <param name="samples">In the order of training, cut into inner steps by the objective.</param>
    /// <returns>The pseudo-gradient (base minus trained), <see cref="Length"/> values.</returns>
    double[] Train(ModelPoint from, ReadOnlySpan<long> samples);

    /// <summary>Keeps the largest of each chunk and rounds them to their codes.</summary>
    /// <param name="accumulated">Error feedback plus pseudo-gradient.</param>
    SparseMove Compress(ReadOnlySpan<double> accumulated);

    /// <summary>The bytes of an update.</summary>
    /// <param name="move">Any, honest or not.</param>
    byte[] Write(SparseMove move);

    /// <summary>Reads an update from anywhere.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="move">The update, or null.</param>
    /// <param name="why">Why not.</param>
    bool TryRead(ReadOnlySpan<byte> bytes, out SparseMove? move, out Rejection why);

    /// <summary>The outer step: combine the updates of a manifest and step.</summary>
    /// <param name="before">The base of the round.</param>
    /// <param name="parts">In uid order; not empty.</param>
    ModelPoint Apply(ModelPoint before, IReadOnlyList<MovePart> parts);

    /// <summary>The loss of each sample.</summary>
    /// <param name="at">The base.</param>
    /// <param name="probed">An update to apply alone first, at the step of a probe; or null.</param>
    /// <param name="samples">Which samples.</param>
    double[] Losses(ModelPoint at, SparseMove? probed, ReadOnlySpan<long> samples);
}
