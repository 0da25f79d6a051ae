using Cairn.Base;

namespace Cairn.Sparse.Tests;

public class PublishedQuantizerTests
{
    [Fact]
    public void The_worked_example_of_the_published_quantiser_comes_out()
    {
        float[] v = [0.9f, -1.1f, 1.0f, -0.8f, 3.0f, -0.1f, 0.2f, -2.5f];
        var codes = new byte[8];
        Assert.True(PublishedQuantizer.TryQuantize(v, codes, out var book));
        Assert.Equal([2, 2, 2, 2, 3, 2, 2, 1], codes.Select(c => (int)c));
        Assert.Equal(0.075f, book.Shift, 6);
        Assert.Equal(2.4657294f, book.Scale, 6);
        Assert.Equal(0, book.Level0);
        Assert.Equal(-2.575f, book.Level1, 6);
        Assert.Equal(-0.0583333f, book.Level2, 6);
        Assert.Equal(2.925f, book.Level3, 6);
        Assert.Equal(0.0166667f, book.ValueOf(2), 6);
        Assert.Equal(3.0f, book.ValueOf(3), 6);
        Assert.Equal(-2.5f, book.ValueOf(1), 6);
        double error = 0, whole = 0;
        for (var i = 0; i < v.Length; i++)
        {
            error += Math.Pow(v[i] - book.ValueOf(codes[i]), 2);
            whole += v[i] * (double)v[i];
        }

        Assert.Equal(0.1956, error / whole, 4);
    }

    [Theory]
    [InlineData(-1.5, 0)]
    [InlineData(-0.5, 2)]
    [InlineData(0.5, 2)]
    [InlineData(1.5, 3)]
    public void A_code_is_the_half_even_rounding_of_value_over_scale_plus_two(double borders, int code)
    {
        // 33 values, mean 0, deviation 4/6 so that the scale is 1: the pair at ±border, and a pair that fills up Σ v² to 32 · 4/9.
        var v = new float[33];
        (v[0], v[1]) = ((float)borders, -(float)borders);
        var rest = (32.0 * 4 / 9) - (2 * borders * borders);
        (v[20], v[21]) = ((float)Math.Sqrt(rest / 2), -(float)Math.Sqrt(rest / 2));
        var codes = new byte[33];
        Assert.True(PublishedQuantizer.TryQuantize(v, codes, out var book));
        Assert.Equal(1f, book.Scale);
        Assert.Equal(code, codes[0]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(4095)]
    [InlineData(4097)]
    [InlineData(10_003)]
    public void Vector_and_scalar_sums_agree_with_the_stated_order(int count)
    {
        var v = TestData.Normal(count, "order", 1e-3f);
        var codes = new byte[count];
        Assert.True(PublishedQuantizer.TryQuantize(v, codes, out var book));
        var (shift, scale) = (book.Shift, book.Scale);
        Assert.Equal((float)(Ordered(v, x => x) / count), shift);
        var sigma = Math.Sqrt(Ordered(v, x => (x - (double)shift) * (x - (double)shift)) / (count - 1));
        Assert.Equal(count == 1 ? 1 : (float)(1.5 * sigma), scale);
        var expected = v.Select(x => (int)Math.Clamp(Math.Round(((x - (double)shift) / scale) + 2, MidpointRounding.ToEven), 0, 3)).ToArray();
        Assert.Equal(expected, codes.Select(c => (int)c));
        float[] levels = [book.Level0, book.Level1, book.Level2, book.Level3];
        for (var bin = 0; bin < 4; bin++)
        {
            var members = expected.Count(c => c == bin);
            var sum = Ordered([.. v.Select((x, i) => (x, i))], p => expected[p.i] == bin ? p.x - (double)shift : 0);
            Assert.Equal(members == 0 ? 0 : (float)(sum / members), levels[bin]);
        }
    }

    [Fact]
    public void Equal_values_are_kept_whole()
    {
        var v = Enumerable.Repeat(0.25f, 65).ToArray();
        var codes = new byte[65];
        Assert.True(PublishedQuantizer.TryQuantize(v, codes, out var book));
        Assert.Equal(new Codebook(0.25f, 1, 0, 0, 0, 0), book);
        Assert.Equal(0.25f, book.ValueOf(codes[3]));
    }

    [Fact]
    public void What_the_quantiser_makes_a_receiver_accepts_and_huge_numbers_it_refuses_itself()
    {
        for (var exponent = -45; exponent <= 5; exponent++)
        {
            var v = TestData.Normal(130, "range", (float)DeterministicMath.Pow(10, exponent));
            var codes = new byte[130];
            if (PublishedQuantizer.TryQuantize(v, codes, out var book))
            {
                Assert.True(book.IsFinite && book.IsInForm(CodeCounts.Of(codes)));
            }

            Assert.Equal(exponent < 4, PublishedQuantizer.TryQuantize(v, codes, out _));
        }

        Assert.False(PublishedQuantizer.TryQuantize([float.MaxValue, float.MaxValue, -1], new byte[3], out _));
    }

    private static double Ordered<T>(T[] items, Func<T, double> of)
    {
        var total = 0.0;
        for (var start = 0; start < items.Length; start += 4096)
        {
            var lanes = new double[8];
            for (var i = start; i < Math.Min(items.Length, start + 4096); i++)
            {
                lanes[i % 8] += of(items[i]);
            }

            total += ((((((lanes[0] + lanes[1]) + lanes[2]) + lanes[3]) + lanes[4]) + lanes[5]) + lanes[6]) + lanes[7];
        }

        return total;
    }
}
