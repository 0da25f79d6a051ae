using Cairn.Base;
using Cairn.Model;

namespace Cairn.Model.Tests;

public sealed class InitializerTests
{
    [Fact]
    public void The_first_parameters_of_nano_are_the_golden_ones()
    {
        using var parameters = Initializer.Create(new ParameterLayout(Presets.Get("nano")), 42);
        Assert.Equal("158008e7f3bef30c2c733c51d6a64f57fa6011a30f0274ea867e902a4adf9d0b", parameters.Digest().ToString());
    }

    [Fact]
    public void Another_seed_gives_other_parameters_and_the_same_seed_the_same()
    {
        var layout = new ParameterLayout(Tiny.Shape());
        using var first = Initializer.Create(layout, 1);
        using var second = Initializer.Create(layout, 2);
        using var again = Initializer.Create(layout, 1);
        Assert.NotEqual(first.Digest(), second.Digest());
        Assert.Equal(first.Digest(), again.Digest());
    }

    [Theory]
    [InlineData(true, 0.02)]
    [InlineData(false, 1.0)]
    public void Deviations_follow_the_stated_rules(bool tied, double embedding)
    {
        var shape = new ModelShape(500, 64, 3, 4, 2, 96, 16, TiedHead: tied);
        using var parameters = Initializer.Create(new ParameterLayout(shape), 3);
        var layout = parameters.Layout;
        Assert.Equal(embedding, Deviation(parameters[layout.Embedding]), embedding * 0.03);
        Assert.Equal(0.02, Deviation(parameters[layout[2].Query]), 0.001);
        Assert.Equal(0.02, Deviation(parameters[layout[2].Gate]), 0.001);
        Assert.Equal(0.02 / Math.Sqrt(6), Deviation(parameters[layout[2].Down]), 0.0005);
        Assert.Equal(0.02 / Math.Sqrt(2), Deviation(parameters[layout[0].Up]), 0.0008);
        Assert.Equal(0.02 / Math.Sqrt(4), Deviation(parameters[layout[1].Output]), 0.0006);
        Assert.All(parameters[layout[1].AttentionNorm].ToArray(), gain => Assert.Equal(1f, gain));
        if (!tied)
        {
            Assert.Equal(0.125, Deviation(parameters[layout.Head]), 0.004);
        }
    }

    [Fact]
    public void Two_models_that_differ_in_one_bit_have_different_digests_and_the_piece_shows_it()
    {
        var one = new float[(BaseDigest.PieceBytes / 4 * 2) + 5];
        var other = (float[])one.Clone();
        other[^1] = -0f;
        Assert.NotEqual(BaseDigest.Of(one), BaseDigest.Of(other));
        var (a, b) = (BaseDigest.Pieces(one), BaseDigest.Pieces(other));
        Assert.Equal(3, a.Length);
        Assert.Equal([true, true, false], a.Zip(b, (x, y) => x == y));
    }

    private static double Deviation(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += (double)value * value;
        }

        return Math.Sqrt(sum / values.Length);
    }
}
