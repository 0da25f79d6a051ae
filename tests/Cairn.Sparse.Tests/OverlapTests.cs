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
}
