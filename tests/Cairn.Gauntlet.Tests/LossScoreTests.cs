namespace Cairn.Gauntlet.Tests;

public class LossScoreTests
{
    [Fact]
    public void Differences_are_paired_sequence_by_sequence()
    {
        // Losses between sequences differ by far more than the improvement; pairs do not.
        var d = PairedDifference.Between([2, 6, 3, 5], [1.9, 5.8, 2.9, 4.8]);
        Assert.Equal(0.15, d.Mean, 12);
        Assert.Equal(0.1 / Math.Sqrt(3) / 2, d.StandardError, 12);
        Assert.Equal(0.15 / 4, d.Relative, 12);
        Assert.Equal(d.Mean - (2 * d.StandardError), d.LowerBound(2), 12);
        Assert.Equal(d.Mean + d.StandardError, d.UpperBound(1), 12);
    }

    [Fact]
    public void One_sequence_proves_nothing()
    {
        var d = PairedDifference.Between([2], [1]);
        Assert.Equal(double.NegativeInfinity, d.LowerBound(1));
        Assert.Equal(1, d.LowerBound(0));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void An_update_that_breaks_the_model_is_as_bad_as_can_be_and_no_crash(double loss)
    {
        var score = LossScore.Of([4, 4], [4, loss], [4, 4], [3.9, 3.9]);
        Assert.Equal(double.NegativeInfinity, score.Assigned.Mean);
        Assert.True(score.IsHarmful);
        Assert.Equal(-1, ComputationIndicator.Of(score));
        Assert.Equal(-1, ComputationIndicator.Published(score));
        var both = LossScore.Of([4, 4], [4, loss], [4, 4], [3.9, loss]);
        Assert.True(both.IsHarmful && both.IsNegative);
        Assert.Equal(double.NegativeInfinity, both.Rank);
    }

    [Fact]
    public void Harmful_is_what_worsens_its_own_samples_or_clearly_those_of_others()
    {
        Assert.False(TestData.Score(0.1, 0.05).IsHarmful);
        Assert.True(TestData.Score(-0.01, 0.05).IsHarmful);
        Assert.True(TestData.Score(0.1, -0.05).IsHarmful);
        Assert.False(TestData.Score(0.1, -0.05, spread: 0.2).IsHarmful);
        Assert.False(TestData.Score(0, 0, 0).IsHarmful);
    }

    [Fact]
    public void Harm_that_is_gathered_in_one_sequence_hides_behind_no_standard_error()
    {
        double[] before = [4, 4, 4, 4, 4, 4, 4, 4];
        double[] helped = [3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9, 3.9];
        double[] one = [4, 4, 4, 8, 4, 4, 4, 4];
        Assert.True(LossScore.Of(before, helped, before, one).IsClearlyHarmful);
        Assert.True(LossScore.Of(before, one, before, helped).IsClearlyHarmful);
        one[3] = 5;
        Assert.False(LossScore.Of(before, helped, before, one).IsClearlyHarmful);
    }

    [Fact]
    public void Who_improves_its_own_samples_more_has_computed()
    {
        Assert.Equal(1, ComputationIndicator.Of(TestData.Score(0.1, 0.05)));
        Assert.Equal(-1, ComputationIndicator.Of(TestData.Score(0.05, 0.1)));
        Assert.Equal(0, ComputationIndicator.Of(TestData.Score(0.1, 0.0999)));
        Assert.Equal(1, ComputationIndicator.Published(TestData.Score(0.1, 0.0999)));
        Assert.Equal(-1, ComputationIndicator.Published(TestData.Score(0.1, 0.1)));
    }

    [Fact]
    public void The_moving_average_follows_the_published_numbers()
    {
        double[] expected = [0.05, 0.0975, 0.14263, 0.18549, 0.22622];
        var average = 0.0;
        for (var i = 1; i <= 10; i++)
        {
            average = ComputationIndicator.Average(average, 1);
            Assert.True(i > expected.Length || Math.Abs(average - expected[i - 1]) < 6e-6);
            Assert.Equal(i >= 3, average >= 0.10);
        }

        Assert.Equal(0.40126, average, 5);
        Assert.Equal(average, ComputationIndicator.Average(average, 0));
    }
}
