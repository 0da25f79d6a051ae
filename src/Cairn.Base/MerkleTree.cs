using System.Buffers.Binary;

namespace Cairn.Base;

/// <summary>A binary hash tree over digests: one root commits to an ordered list of leaves, and a short path proves one of them.</summary>
/// <remarks>Leaves and nodes are hashed under different tags (a leaf can never pass for a node), and the count of leaves is bound into
/// the root, so that no two lists share one. An odd node is carried up unchanged.</remarks>
public static class MerkleTree
{
    /// <summary>The root of a list of leaves.</summary>
    /// <param name="leaves">In order; may be empty.</param>
    /// <returns>SHA-256(tag ‖ count ‖ top).</returns>
    public static Digest Root(ReadOnlySpan<Digest> leaves)
    {
        var level = new Digest[leaves.Length];
        for (var i = 0; i < leaves.Length; i++)
        {
            level[i] = Leaf(leaves[i]);
        }

        while (level.Length > 1)
        {
            level = Up(level);
        }

        return Seal(leaves.Length, level.Length == 0 ? Digest.Zero : level[0]);
    }

    /// <summary>The siblings that lead from one leaf to the root.</summary>
    /// <param name="leaves">The whole list.</param>
    /// <param name="index">Which leaf.</param>
    /// <returns>Siblings from the bottom up; levels where the node is carried up have none.</returns>
    public static Digest[] Prove(ReadOnlySpan<Digest> leaves, int index)
    {
        Invariant.Check((uint)index < (uint)leaves.Length);
        var level = new Digest[leaves.Length];
        for (var i = 0; i < leaves.Length; i++)
        {
            level[i] = Leaf(leaves[i]);
        }

        var path = new List<Digest>();
        for (var at = index; level.Length > 1; at /= 2)
        {
            if ((at ^ 1) < level.Length)
            {
                path.Add(level[at ^ 1]);
            }

            level = Up(level);
        }

        return [.. path];
    }

    /// <summary>Checks that a leaf stands at an index of the list with that root.</summary>
    /// <param name="root">From <see cref="Root"/>.</param>
    /// <param name="count">How many leaves the list has.</param>
    /// <param name="index">Where the leaf is claimed to stand.</param>
    /// <param name="leaf">The leaf.</param>
    /// <param name="path">From another party; any length.</param>
    /// <returns>True if it does.</returns>
    public static bool Verify(Digest root, int count, int index, Digest leaf, ReadOnlySpan<Digest> path)
    {
        if (index < 0 || index >= count)
        {
            return false;
        }

        var node = Leaf(leaf);
        var used = 0;
        for (var (at, width) = (index, count); width > 1; at /= 2, width = (width + 1) / 2)
        {
            if ((at ^ 1) >= width)
            {
                continue;
            }

            if (used == path.Length)
            {
                return false;
            }

            node = (at & 1) == 0 ? Node(node, path[used]) : Node(path[used], node);
            used++;
        }

        return used == path.Length && Seal(count, node) == root;
    }

    private static Digest[] Up(Digest[] level)
    {
        var next = new Digest[(level.Length + 1) / 2];
        for (var i = 0; i < next.Length; i++)
        {
            next[i] = (2 * i) + 1 < level.Length ? Node(level[2 * i], level[(2 * i) + 1]) : level[2 * i];
        }

        return next;
    }

    private static Digest Leaf(Digest value)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        value.CopyTo(bytes);
        return Digest.Of("cairn/merkle/leaf", bytes);
    }

    private static Digest Node(Digest left, Digest right)
    {
        Span<byte> bytes = stackalloc byte[2 * Digest.Size];
        left.CopyTo(bytes);
        right.CopyTo(bytes[Digest.Size..]);
        return Digest.Of("cairn/merkle/node", bytes);
    }

    private static Digest Seal(int count, Digest top)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long) + Digest.Size];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, count);
        top.CopyTo(bytes[sizeof(long)..]);
        return Digest.Of("cairn/merkle/root", bytes);
    }
}
