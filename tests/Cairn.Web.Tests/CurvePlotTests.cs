namespace Cairn.Web.Tests;

/// <summary>Whatever a log says of losses, the drawing of them ends.</summary>
public sealed class CurvePlotTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(2.5)]
    [InlineData(1e10)]
    [InlineData(1e17)]
    [InlineData(-1e17)]
    [InlineData(1e99)]
    public async Task Losses_that_are_all_the_same_are_drawn_as_a_line_with_a_few_marks(double loss)
    {
        var drawn = await Task.Run(() => Draw(loss, loss), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Contains("polyline", drawn, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", drawn, StringComparison.Ordinal);
        Assert.InRange(drawn.Split("<line").Length - 1, 1, 12);
    }

    [Fact]
    public void What_is_no_loss_is_left_out()
    {
        Assert.Equal(Draw(3, 2), Draw(double.NaN, 3, double.PositiveInfinity, 2, -1e308, 1e308));
        Assert.Equal("", Draw(double.NaN));
    }

    // At the tokens of those that are losses, so that the others leave no trace.
    private static string Draw(params double[] losses) => CurvePlot.Draw(
        [("run", [.. losses.Select(loss => (Tokens: loss is 2 or 3 ? 100 * (4 - loss) : 50.0, Loss: loss))])]);
}
