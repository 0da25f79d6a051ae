using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class PublishedPackingTests
{
    [Theory]
    [InlineData("236145", 0x123, 0x456)]
    [InlineData("001000ffcfab", 0, 1, 4095, 0xABC)]
    [InlineData("05a0ff110004", 5, 4090, 17, 64)]
    [InlineData("")]
    [InlineData("bc0a", 0xABC)]
    [InlineData("236145ff0f", 0x123, 0x456, 0xFFF)]
    public void Indices_pack_into_the_published_bytes(string hex, params int[] indices)
    {
        var values = indices.Select(i => (ushort)i).ToArray();
        var packed = new byte[PublishedPacking.IndexBytes(values.Length)];
        PublishedPacking.PackIndices(values, packed);
        Assert.Equal(hex, Convert.ToHexStringLower(packed));
        var back = new ushort[values.Length];
        Assert.True(PublishedPacking.UnpackIndices(packed, back));
        Assert.Equal(values, back);
    }

    [Fact]
    public void Any_run_of_indices_comes_back_as_it_went()
    {
        var random = new SeededRandom(3, "pack");
        for (var count = 0; count < 200; count++)
        {
            var values = new ushort[count];
            for (var i = 0; i < count; i++)
            {
                values[i] = (ushort)random.NextBelow(4096);
            }

            var packed = new byte[PublishedPacking.IndexBytes(count)];
            PublishedPacking.PackIndices(values, packed);
            var back = new ushort[count];
            Assert.True(PublishedPacking.UnpackIndices(packed, back));
            Assert.Equal(values, back);
        }
    }

    [Fact]
    public void An_index_above_4095_is_our_own_bug_and_a_filling_bit_the_senders()
    {
        Assert.Throws<InvariantViolation>(() => PublishedPacking.PackIndices([4096], new byte[2]));
        Assert.Throws<InvariantViolation>(() => PublishedPacking.PackIndices([1, 2, 3, 4096, 1, 1], new byte[9]));
        Assert.False(PublishedPacking.UnpackIndices([0, 0x10], new ushort[1]));
    }
}
