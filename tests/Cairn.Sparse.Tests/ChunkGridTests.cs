namespace Cairn.Sparse.Tests;

public class ChunkGridTests
{
    [Theory]
    [InlineData(8192, 64)]
    [InlineData(128, 64)]
    [InlineData(63, 63)]
    [InlineData(100, 50)]
    [InlineData(96, 48)]
    [InlineData(67, 1)]
    [InlineData(134, 2)]
    [InlineData(1, 1)]
    public void A_block_side_is_the_largest_divisor_up_to_64(int n, int side) => Assert.Equal(side, TensorGrid.BlockSide(n));

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
                    seen[grid[t].OriginOf(chunk) + grid[t].OffsetInBlock[i]]++;
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
        Assert.Equal(128 + 3, grid.OffsetInBlock[64 + 3]);
    }

    [Fact]
    public void A_vector_is_cut_into_runs_of_4096_and_a_shorter_last_one()
    {
        var grid = TestData.Mixed[3];
        Assert.Equal((2, 4096, 301), (grid.ChunkCount, grid.LengthOf(0), grid.LengthOf(1)));
        Assert.Equal(128, grid.ValueCount);
        Assert.Equal(33, TestData.Mixed[1].ValueCount);
        Assert.Equal(43, new ChunkGrid([new TensorSpec("v", 1, 4096 + 3, 0)], 40)[0].ValueCount);
    }

    [Fact]
    public void The_size_of_an_update_is_known_from_the_grid_alone()
    {
        // 4 blocks of 4096; 33 values; one block of 6 × 35 of which 64 are kept; 64 + 64.
        var values = 256 + 33 + 64 + 128;
        Assert.Equal(values, TestData.Mixed.ValueCount);
        var sections = (384 + 64) + (50 + 9) + (96 + 16) + (192 + 32) + (4 * 24);
        Assert.Equal(84 + sections, TestData.Mixed.UpdateBytes);
        Assert.Equal(TestData.Mixed.UpdateBytes, SparseUpdateCodec.Encode(TestData.Update(TestData.Mixed, "size")).Length);
    }

    [Fact]
    public void The_published_72B_model_sends_1_136_676_992_values_in_14_bits_each()
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
        Assert.Equal(1_136_676_992, grid.ValueCount);
        Assert.Equal(84 + (24 * grid.TensorCount) + (1_136_676_992L * 14 / 8), grid.UpdateBytes);
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
