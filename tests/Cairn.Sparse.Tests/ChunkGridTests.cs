namespace Cairn.Sparse.Tests;

public class ChunkGridTests
{
    [Fact]
    public void Every_element_of_every_tensor_lies_in_exactly_one_chunk()
    {
        var grid = TestData.Mixed;
        for (var t = 0; t < grid.TensorCount; t++)
        {
            var seen = new int[grid[t].Spec.Length];
            for (var chunk = 0; chunk < grid[t].ChunkCount; chunk++)
            {
                for (var i = 0; i < grid[t].LengthOf(chunk); i++)
                {
                    seen[grid[t].OriginOf(chunk) + grid[t].ShapeOf(chunk).Offsets[i]]++;
                }
            }

            Assert.All(seen, count => Assert.Equal(1, count));
        }
    }

    [Fact]
    public void A_block_runs_row_by_row_inside_its_matrix()
    {
        var grid = TestData.Mixed[0];
        Assert.Equal((64, 64, 4), (grid.BlockRows, grid.BlockCols, grid.ChunkCount));
        Assert.Equal(64, grid.OriginOf(1));
        Assert.Equal(64 * 128, grid.OriginOf(2));
        Assert.Equal(128 + 3, grid.ShapeOf(0).Offsets[64 + 3]);
    }

    [Fact]
    public void A_vector_is_cut_into_runs_of_4096_and_a_shorter_last_one()
    {
        var grid = TestData.Mixed[3];
        Assert.Equal((2, 4096, 301), (grid.ChunkCount, grid.LengthOf(0), grid.LengthOf(1)));
        Assert.Equal((64, 5), (grid.KeepOf(0), grid.KeepOf(1)));
        Assert.Equal(1, TestData.Mixed[1].ValueCount);
        Assert.Equal(41, new ChunkGrid([new TensorSpec("v", 1, 4096 + 3, 0)], 40)[0].ValueCount);
    }

    [Fact]
    public void Blocks_at_the_edges_are_as_small_as_what_is_left()
    {
        var grid = TestData.Mixed[4];
        (int, int, int)[] expected = [(64, 64, 64), (64, 64, 64), (64, 2, 2), (6, 64, 6), (6, 64, 6), (6, 2, 1)];
        Assert.Equal(expected, Enumerable.Range(0, 6).Select(c => (grid.ShapeOf(c).Rows, grid.ShapeOf(c).Cols, grid.KeepOf(c))));
        Assert.Equal([0, 64, 128, 130, 136, 142, 143], Enumerable.Range(0, 7).Select(grid.FirstValueOf));
        Assert.Equal(143, grid.ValueCount);
        Assert.Equal((64 * 130) + 128, grid.OriginOf(5));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(7, 1)]
    [InlineData(67, 67)]
    [InlineData(127, 8191)]
    [InlineData(1, 8191)]
    [InlineData(8191, 3)]
    [InlineData(63, 65)]
    public void No_shape_is_sent_denser_than_one_in_64_but_for_the_one_value_of_each_chunk(int rows, int cols)
    {
        var grid = new ChunkGrid([new TensorSpec("t", rows, cols, 0)])[0];
        Assert.InRange(grid.ValueCount, 1, (grid.Spec.Length / 64) + grid.ChunkCount);
        Assert.Equal(grid.ValueCount, Enumerable.Range(0, grid.ChunkCount).Sum(grid.KeepOf));
        Assert.Equal(grid.Spec.Length, Enumerable.Range(0, grid.ChunkCount).Sum(grid.LengthOf));
        Assert.Equal(
            Enumerable.Range(0, grid.ChunkCount).Select(c => Enumerable.Range(0, c).Sum(grid.KeepOf)), Enumerable.Range(0, grid.ChunkCount).Select(grid.FirstValueOf));
    }

    [Fact]
    public void The_size_of_an_update_is_known_from_the_grid_alone()
    {
        // Values: 4 · 64; 1; 4; 64 + 5; 64 + 64 + 2 + 6 + 6 + 1; 1 + 1.
        Assert.Equal(256 + 1 + 4 + 69 + 143 + 2, TestData.Mixed.ValueCount);
        var codec = new SparseUpdateCodec(TestData.Mixed, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Fast));
        // Book 6, half a byte for each chunk's scale, checksum 4; then for each chunk low bits, map and codes.
        var wide = 10 + 2 + (4 * (48 + 16 + 16));
        var gain = 10 + 1 + (1 + 1 + 1);
        var odd = 10 + 1 + (3 + 2 + 1);
        var longer = 10 + 1 + (48 + 16 + 16) + (4 + 2 + 2);
        var edges = 10 + 3 + (2 * (48 + 16 + 16)) + (2 + 1 + 1) + (2 * (5 + 2 + 2)) + (1 + 1 + 1);
        var prime = 10 + 1 + (1 + 1 + 1) + (1 + 1 + 1);
        Assert.Equal(SparseUpdateCodec.HeaderBytes + wide + gain + odd + longer + edges + prime, codec.BytesMax);
        Assert.Equal(codec.BytesMax, codec.Encode(TestData.Update(TestData.Mixed, "size")).Length);
        Assert.Equal(codec.BytesMax, codec.FastOffsetOf(6));
    }

    [Fact]
    public void The_published_72B_model_sends_1_136_676_992_values_in_ten_bits_and_a_sixteenth_each()
    {
        var specs = new List<TensorSpec>();
        var offset = 0L;
        void Add(string name, int rows, int cols)
        {
            specs.Add(new TensorSpec(name, rows, cols, offset));
            offset += (long)rows * cols;
        }

        foreach (var end in new[] { "embedding", "head" })
        {
            Add(end + ".0", 131072, 8192);
            Add(end + ".1", 131072, 8192);
        }

        for (var layer = 0; layer < 80; layer++)
        {
            Add($"{layer}.q", 8192, 8192);
            Add($"{layer}.k", 1024, 8192);
            Add($"{layer}.v", 1024, 8192);
            Add($"{layer}.o", 8192, 8192);
            Add($"{layer}.gate", 28672, 8192);
            Add($"{layer}.up", 28672, 8192);
            Add($"{layer}.down", 8192, 28672);
            Add($"{layer}.norm.0", 1, 8192);
            Add($"{layer}.norm.1", 1, 8192);
        }

        Add("norm", 1, 8192);

        var grid = new ChunkGrid(specs);
        // The published count leaves vectors out; of 1,318,912 elements in vectors one in 64 is sent.
        Assert.Equal(1_136_656_384 + (161 * 2 * 64), grid.ValueCount);
        var bytes = new SparseUpdateCodec(grid, new UpdateFormat(QuantizerKind.SignMagnitude, WireMode.Fast)).BytesMax;
        Assert.InRange(8.0 * bytes / grid.ValueCount, 10.0625, 10.0626);
    }

    [Fact]
    public void The_digest_of_a_grid_follows_names_shapes_and_keep_but_not_offsets()
    {
        ChunkGrid Grid(string name, int rows, int cols, long offset, int keep) => new([new TensorSpec(name, rows, cols, offset)], keep);
        var digest = Grid("w", 64, 128, 0, 64).Digest;
        Assert.Equal(digest, Grid("w", 64, 128, 5, 64).Digest);
        Assert.NotEqual(digest, Grid("v", 64, 128, 0, 64).Digest);
        Assert.NotEqual(digest, Grid("w", 128, 64, 0, 64).Digest);
        Assert.NotEqual(digest, Grid("w", 64, 128, 0, 32).Digest);
    }

    [Fact]
    public void Overlapping_tensors_and_equal_names_are_our_own_bug()
    {
        Assert.Throws<Base.InvariantViolation>(() => new ChunkGrid([new TensorSpec("a", 2, 2, 0), new TensorSpec("b", 2, 2, 3)]));
        Assert.Throws<Base.InvariantViolation>(() => new ChunkGrid([new TensorSpec("a", 2, 2, 0), new TensorSpec("a", 2, 2, 4)]));
    }
}
