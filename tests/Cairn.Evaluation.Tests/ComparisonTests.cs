namespace Cairn.Evaluation.Tests;

public sealed class ComparisonTests
{
    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(5, 0, 0.0625)] // 2 · 2⁻⁵
    [InlineData(2, 8, 0.109375)] // 2 · (1 + 10 + 45) / 2¹⁰
    [InlineData(6, 6, 1)]
    public void Chance_is_counted_exactly(int ahead, int behind, double expected) => Assert.Equal(expected, Comparison.McNemar(ahead, behind), 1e-12);

    [Fact]
    public void Many_questions_leave_no_range()
    {
        Assert.InRange(Comparison.McNemar(10_000, 10_100), 0.45, 0.52);
        Assert.InRange(Comparison.McNemar(1_000, 2_000), 0, 1e-70);
    }

    [Fact]
    public void Standard_errors_are_of_the_sample_and_differences_are_paired()
    {
        var first = Scored(1, 1, 1, 0);
        var second = Scored(1, 0, 0, 0);
        var metric = Assert.Single(first.Metrics);
        Assert.Equal(("acc", 0.75, 4), (metric.Name, metric.Mean, metric.Count));
        Assert.Equal(Math.Sqrt(0.75 * 0.25 / 3), metric.StandardError, 1e-12);

        var comparison = Assert.Single(Comparison.Of(first, second));
        Assert.Equal((0.5, 2, 0, 0.5), (comparison.Difference, comparison.FirstOnly, comparison.SecondOnly, comparison.PValue));
        Assert.Equal(Math.Sqrt(1.0 / 3 / 4), comparison.StandardError, 1e-12);
    }

    [Fact]
    public void Texts_are_compared_window_by_window_where_both_models_cut_them_alike()
    {
        var first = new TextScore("t", 100, 10, 30, [10, 20]);
        var second = new TextScore("t", 100, 10, 40, [14, 26]);
        var comparison = TextComparison.Of(first, second);
        Assert.Equal(-10 / Math.Log(2) / 100, comparison.BitsPerByte, 1e-12);
        Assert.Equal(1 * 2 / Math.Log(2) / 100, comparison.StandardError, 1e-12);
        Assert.True(double.IsNaN(TextComparison.Of(first, second with { Tokens = 11 }).StandardError));
    }

    private static TaskScore Scored(params double[] marks) => new("arc", [.. marks.Select((mark, i) => new ItemScore($"{i}", [new Mark("acc", mark)], null, null, null))]);
}
