using Cairn.Training;

namespace Cairn.Model.Tests;

/// <summary>The published schedule (reference 1.5, 1.7) against the vectors of reference 15 and 22; an outer step is 30 inner steps.</summary>
public sealed class LearningRateTests
{
    private static readonly LearningRateSchedule _published = new(1.17e-4, 1500, 140_000) { FlatStart = 2740 * 30, FlatSteps = 450 * 30 };

    [Theory]
    [InlineData(25, 5.85001e-5)]
    [InlineData(50, 1.17e-4)]
    [InlineData(909, 1.08439e-4)]
    [InlineData(1273, 1.0014e-4)]
    [InlineData(1820, 8.384e-5)]
    [InlineData(2740, 5.183e-5)]
    [InlineData(3000, 5.183e-5)]
    [InlineData(3190, 5.183e-5)]
    public void The_published_rates_are_met(int outerStep, double rate) => Assert.Equal(rate, _published.At(outerStep * 30L), rate * 6e-5);

    [Fact]
    public void After_a_rewind_of_20000_the_rising_cosine_gives_the_published_rate_and_the_holding_one_the_floor()
    {
        const long step = (6100 * 30) - 20_000;
        Assert.Equal(1.2546e-5, (_published with { CosineRises = true }).At(step), 1e-9);
        Assert.Equal(1.17e-5, _published.At(step), 1e-12);
    }

    [Theory]
    [InlineData(0, 1.17e-10)]
    [InlineData(100, 2.925e-5)]
    [InlineData(2700, 1.235e-5)]
    [InlineData(4600, 0)]
    [InlineData(9999, 0)]
    public void The_anneal_meets_its_rates(int innerStep, double rate)
    {
        var schedule = _published with { AnnealStart = 6100 * 30, AnnealDecaySteps = 150 * 30 };
        Assert.Equal(rate, schedule.At((6100 * 30) + innerStep), Math.Max(rate * 1e-4, 1e-20));
    }

    [Fact]
    public void The_rate_never_jumps_but_where_the_anneal_begins()
    {
        var schedule = new LearningRateSchedule(1, 40, 300) { FlatStart = 100, FlatSteps = 50 };
        for (var step = 1; step < 500; step++)
        {
            Assert.InRange(schedule.At(step) - schedule.At(step - 1), -0.006, 0.0251);
        }

        Assert.Equal(0.1, schedule.At(10_000), 1e-12);
        Assert.Equal(1, new LearningRateSchedule(1, 0, 10).At(0), 1e-12);
    }

    [Fact]
    public void Bad_settings_are_told_all_at_once()
    {
        var faults = new LearningRateSchedule(0, -1, 0, 2) { AnnealPeakFactor = 3 }.Faults();
        Assert.Equal(5, faults.Count);
        Assert.Equal(5, new AdamWSettings(1, -1, 0, -1, 0).Faults().Count);
    }
}
