namespace Cairn.Compute;

/// <summary>How the long sum of a matrix product is cut. Part of the contract between replicas: other cuts give other bits.</summary>
/// <remarks>An element of C is ((0 or C) + s₁) + s₂ + … where s_b is the chain fma(a,b,·), from zero, over block b in ascending k. Every micro-kernel, tile
/// edge and thread count computes exactly this, hence the same bits everywhere.</remarks>
internal static class KBlocking
{
    /// <summary>No block is longer: a panel of B of this depth, 32 wide, is as large as a first-level cache.</summary>
    internal const int Longest = 384;

    private const int Granule = 16;

    /// <summary>The length of all blocks but the last: as few as possible, evenly, rounded up to 16.</summary>
    internal static int BlockLength(int k)
    {
        var blocks = (k + Longest - 1) / Longest;
        var even = (k + blocks - 1) / blocks;
        return (even + Granule - 1) / Granule * Granule;
    }
}
