namespace Cairn.Sparse;

/// <summary>How kept values become codes. A rule of the run.</summary>
public enum QuantizerKind
{
    /// <summary>The published one: 4 levels for a whole tensor, 2 bits (<see cref="PublishedQuantizer"/>).</summary>
    Published = 0,

    /// <summary>Ours: sign and one bit of magnitude, 2 bits, with a scale of 4 bits for each chunk (<see cref="ChunkQuantizer"/>).</summary>
    SignMagnitude = 1,

    /// <summary>The sign alone, 1 bit, with the same scales.</summary>
    Sign = 2,
}

/// <summary>How codes and places become bytes. A rule of the run; both are canonical: one content, one form.</summary>
public enum WireMode
{
    /// <summary>Elias-Fano: every size fixed by the grid, each chunk readable by itself.</summary>
    Fast = 0,

    /// <summary>Places and magnitudes by range coding, tensor by tensor; never longer than fast.</summary>
    Small = 1,
}

/// <summary>Both choices.</summary>
/// <param name="Quantizer">How values become codes.</param>
/// <param name="Mode">How codes become bytes.</param>
public readonly record struct UpdateFormat(QuantizerKind Quantizer, WireMode Mode)
{
    /// <summary>What a run uses unless its rules say otherwise.</summary>
    public static UpdateFormat Default => new(QuantizerKind.Sign, WireMode.Small);
}
