namespace Cairn.Sparse.Tests;

public class OverlapTests
{
    private static readonly ChunkGrid Eight = new([new TensorSpec("v", 1, 8, 0)], 2048);

    [Theory]
    [InlineData(4, 0, 1, 2, 3)]
    [InlineData(0, 4, 5, 6, 7)]
    [InlineData(2, 0, 3, 4, 7)]
    public void Shared_places_are_counted_exactly(long shared, params int[] places)
    {
        var a = TestData.Handmade(Eight, 0, (0, 1), (1, 1), (2, 1), (3, 1));
        var b = TestData.Handmade(Eight, 1, [.. places.Select(p => (p, 2f))]);
        Assert.Equal(new Overlap(shared, 4), Overlap.Between(a, b));
        Assert.Equal(new Overlap(shared, 4), Overlap.Between(b, a));
    }

    [Fact]
    public void Chunks_count_by_their_values()
    {
        var grid = new ChunkGrid([new TensorSpec("v", 1, 4096 + 8, 0)], 2);
        var a = TestData.Handmade(grid, 0, (5, 1), (9, 1), (1, 1));
        var b = TestData.Handmade(grid, 1, (5, 1), (9, 1), (3, 1));
        Assert.Equal(new Overlap(2, 3), Overlap.Between(a, b));
    }

    [Fact]
    public void A_copy_shares_everything_and_strangers_little()
    {
        var (a, b) = (TestData.Update(TestData.Mixed, "a"), TestData.Update(TestData.Mixed, "b"));
        Assert.Equal(new Overlap(475, 475), Overlap.Between(a, a));
        Assert.InRange(Overlap.Between(a, b).Shared, 0, 475 / 5);
        // What is sent whole by everybody proves nothing and is left out.
        var whole = new ChunkGrid([new TensorSpec("v", 1, 40, 0)], 4096);
        Assert.Equal(new Overlap(0, 0), Overlap.Between(TestData.Update(whole, "a"), TestData.Update(whole, "a")));
    }

    [Fact]
    public void Comparing_all_at_once_gives_what_comparing_each_pair_gives()
    {
        var updates = new[] { "a", "b", "c", "d", "a" }.Select(name => TestData.Update(TestData.Mixed, name)).ToList();
        var all = Overlap.AmongAll(updates);
        Assert.Equal(10, all.Count);
        Assert.All(all, pair => Assert.Equal(Overlap.Between(updates[pair.A], updates[pair.B]), pair.Overlap));
        Assert.Contains(all, pair => pair is { A: 0, B: 4, Overlap.Shared: 475 });
        Assert.Empty(Overlap.AmongAll(updates[..1]));
    }

    [Fact]
    public void The_index_counts_each_chunk_apart()
    {
        var shared = new SharedPlaces(3, 8);
        shared.Add<ushort>(0, [1, 2]);
        shared.Add<ushort>(1, [2, 3]);
        shared.NextChunk();
        shared.Add<ushort>(0, [5]);
        shared.Add<ushort>(2, [2, 5]);
        shared.NextChunk();
        Assert.Equal((1, 1, 0), (shared.Between(0, 1), shared.Between(2, 0), shared.Between(1, 2)));
        Assert.Equal([(0, 1, 1), (0, 2, 1)], shared.Pairs(1));
    }
}
