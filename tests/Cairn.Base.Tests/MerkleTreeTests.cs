namespace Cairn.Base.Tests;

public sealed class MerkleTreeTests
{
    private const int SizeMax = 33;
    private static readonly Digest[] Leaves = [.. Enumerable.Range(0, SizeMax).Select(i => Digest.Of([(byte)i]))];

    [Theory]
    [InlineData(0, "c0d5d880371f545aaa9d2c4c649725b12cef66e59a956dea4cab1bdd27d1f433")]
    [InlineData(1, "7429552f29597aafb80e547e695bf3e4d4ba28cdebcc24556ea0086d3fa0d388")]
    [InlineData(2, "4984e5e36506a2cc0a5e7eb4c8317258d0bf33d1c0f35f5dd304ea8168405f8a")]
    [InlineData(5, "81f5bc5cd6d0ee9e9e44cba4453e8afdf5df798b406ffd2f85f1d0b9ed5e9491")]
    public void Roots_are_those_of_an_independent_program(int count, string root) =>
        Assert.Equal(root, MerkleTree.Root(Leaves.AsSpan(0, count)).ToString());

    [Fact]
    public void No_two_lists_share_a_root()
    {
        var roots = Enumerable.Range(0, SizeMax + 1).Select(count => MerkleTree.Root(Leaves.AsSpan(0, count))).ToHashSet();
        Assert.Equal(SizeMax + 1, roots.Count);
        Digest[] swapped = [Leaves[1], Leaves[0], Leaves[2]];
        Assert.DoesNotContain(MerkleTree.Root(swapped), roots);

        // The classic trap: a list that repeats its odd last leaf.
        Digest[] repeated = [Leaves[0], Leaves[1], Leaves[2], Leaves[2]];
        Assert.NotEqual(MerkleTree.Root(Leaves.AsSpan(0, 3)), MerkleTree.Root(repeated));
    }

    [Fact]
    public void Every_leaf_of_every_list_is_proven_and_only_where_it_stands()
    {
        for (var count = 1; count <= SizeMax; count++)
        {
            var leaves = Leaves.AsSpan(0, count);
            var root = MerkleTree.Root(leaves);
            for (var index = 0; index < count; index++)
            {
                var path = MerkleTree.Prove(leaves, index);
                Assert.True(MerkleTree.Verify(root, count, index, leaves[index], path));
                Assert.False(MerkleTree.Verify(root, count + 1, index, leaves[index], path));
                Assert.False(MerkleTree.Verify(root, count - 1, index, leaves[index], path));
                for (var other = 0; other < count; other++)
                {
                    Assert.Equal(other == index, MerkleTree.Verify(root, count, other, leaves[index], path));
                    Assert.Equal(other == index, MerkleTree.Verify(root, count, index, leaves[other], path));
                }
            }
        }
    }

    [Fact]
    public void A_changed_shortened_or_lengthened_path_proves_nothing()
    {
        for (var count = 1; count <= SizeMax; count++)
        {
            var leaves = Leaves.AsSpan(0, count);
            var root = MerkleTree.Root(leaves);
            var index = count / 2;
            var path = MerkleTree.Prove(leaves, index);
            Assert.False(MerkleTree.Verify(root, count, index, leaves[index], [.. path, Digest.Zero]));
            for (var level = 0; level < path.Length; level++)
            {
                var mutated = path.ToArray();
                mutated[level] = Digest.Of(mutated[level].ToArray());
                Assert.False(MerkleTree.Verify(root, count, index, leaves[index], mutated));
                Assert.False(MerkleTree.Verify(root, count, index, leaves[index], path.AsSpan(0, level)));
                Assert.False(MerkleTree.Verify(root, count, index, leaves[index], path.AsSpan(level + 1)));
            }
        }
    }

    [Fact]
    public void A_proof_of_nowhere_is_refused()
    {
        var root = MerkleTree.Root(Leaves);
        var path = MerkleTree.Prove(Leaves, 0);
        foreach (var (count, index) in new[] { (0, 0), (-1, 0), (-1, -1), (SizeMax, -1), (SizeMax, SizeMax), (int.MinValue, int.MaxValue), (int.MaxValue, 0) })
        {
            Assert.False(MerkleTree.Verify(root, count, index, Leaves[0], path));
        }
    }
}
