namespace Cairn.Data;

/// <summary>Two neighbouring ids that become one.</summary>
/// <param name="Left">The id before.</param>
/// <param name="Right">The id after.</param>
/// <param name="Result">The id of both together.</param>
/// <param name="Rank">When: the lower, the earlier. Merges of the same rank are applied from left to right.</param>
public readonly record struct Merge(int Left, int Right, int Result, int Rank);
