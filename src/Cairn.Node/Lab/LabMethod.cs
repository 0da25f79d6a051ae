using Cairn.Training;

namespace Cairn.Node;

/// <summary>A way of training that moves the parameters of its bench (<see cref="Engine.Local"/>) round by round.</summary>
internal interface ILabMethod : IDisposable
{
    /// <summary>One round of all peers.</summary>
    /// <param name="steps">Inner steps of the round; 1 for a method that communicates every step.</param>
    /// <param name="batchesOf">Gives the batches of a peer, steps counted from the round's first.</param>
    /// <returns>Bytes that all peers together sent; null if training diverged.</returns>
    long? Round(int steps, Func<int, BatchSource> batchesOf);
}

/// <summary>What a method works with.</summary>
/// <param name="Engine">Its local parameters are the base: initial ones at first, the result in the end.</param>
/// <param name="Setting">What all cells share.</param>
internal sealed record LabBench(Engine Engine, LabSetting Setting);

/// <summary>A method as the grid lists it.</summary>
/// <param name="Name">In table and key.</param>
/// <param name="Text">One line for the legend.</param>
/// <param name="Numbers">All settings of the method's own, for the key.</param>
/// <param name="Create">Begins at the bench's parameters.</param>
internal sealed record LabMethod(string Name, string Text, string Numbers, Func<LabBench, ILabMethod> Create)
{
    /// <summary>False for a method that communicates every step: it is computed once, not once for each H.</summary>
    public bool HasH { get; init; } = true;

    /// <summary>True where a mean over seeds with its error is wanted.</summary>
    public bool AllSeeds { get; init; }

    /// <summary>True for the methods of a first look.</summary>
    public bool InQuick { get; init; } = true;

    /// <summary>True if one optimizer takes the batches of all peers in one step.</summary>
    public bool JoinsBatches { get; init; }
}
