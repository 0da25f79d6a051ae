using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class TopKTests
{
    private static readonly int[] Lengths = [4096, 3072, 128, 1, 2, 63, 64, 65, 127, 129, 301, 1000, 2209, 4095];

    public static TheoryData<string> Kinds => ["normal", "ties", "zeros", "ramp", "tiny", "oneGroup", "heavy"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_largest_are_found_exactly_and_ties_go_to_the_lower_index(string kind)
    {
        foreach (var length in Lengths)
        {
            foreach (var keep in new[] { 1, 2, 31, 64 }.Where(k => k <= length))
            {
                var chunk = Chunk(kind, length);
                var expected = Enumerable.Range(0, length).OrderByDescending(i => Math.Abs(chunk[i])).ThenBy(i => i)
                    .Take(keep).Order().Select(i => (ushort)i).ToArray();
                var indices = new ushort[keep];
                Assert.True(TopK.Select(chunk, indices));
                Assert.Equal(expected, indices);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public unsafe void The_portable_way_and_the_512_bit_way_choose_the_same(string kind)
    {
        foreach (var length in new[] { 4096, 3072, 128 })
        {
            foreach (var keep in new[] { 1, 33, 64 })
            {
                var chunk = Chunk(kind, length);
                var (portable, wide) = (new ushort[keep], new ushort[keep]);
                fixed (float* x = chunk)
                {
                    fixed (ushort* p = portable, w = wide)
                    {
                        Assert.True(TopKPortable.Select((int*)x, length, p, keep));
                        Assert.True(!Avx512F.IsSupported || TopKAvx512.Select((int*)x, length, w, keep));
                    }
                }

                Assert.True(TopK.Select(chunk, wide));
                Assert.Equal(portable, wide);
            }
        }
    }

    [Fact]
    public unsafe void A_number_that_is_not_finite_is_reported_wherever_it_stands()
    {
        var indices = new ushort[64];
        foreach (var bad in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity, BitConverter.Int32BitsToSingle(-1) })
        {
            foreach (var place in new[] { 0, 17, 2048, 4095 })
            {
                var chunk = Chunk("normal", 4096);
                chunk[place] = bad;
                Assert.False(TopK.Select(chunk, indices));
                fixed (float* x = chunk)
                {
                    fixed (ushort* o = indices)
                    {
                        Assert.False(TopKPortable.Select((int*)x, 4096, o, 64));
                    }
                }

                Assert.False(TopK.Select(chunk.AsSpan(place, 1), indices.AsSpan(0, 1)));
            }
        }

        var largest = Chunk("normal", 4096);
        largest[5] = float.MaxValue;
        Assert.True(TopK.Select(largest, indices.AsSpan(0, 1)));
        Assert.Equal(5, indices[0]);
    }

    private static float[] Chunk(string kind, int length)
    {
        var random = new SeededRandom(2, kind, length);
        var chunk = new float[length];
        for (var i = 0; i < length; i++)
        {
            var normal = random.NextNormal();
            chunk[i] = kind switch
            {
                "ties" => (float)Math.Round(normal * 3),
                "zeros" => i % 7 == 0 ? -0.0f : 0,
                "ramp" => i,
                "tiny" => (float)(normal * 1e-43),
                "oneGroup" => i % 128 == 5 ? (float)normal : (float)normal * 1e-6f,
                "heavy" => (float)(normal * normal * normal * normal * normal * 1e-3),
                _ => (float)normal,
            };
        }

        return chunk;
    }
}
