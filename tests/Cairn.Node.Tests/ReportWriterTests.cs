namespace Cairn.Node.Tests;

/// <summary>Anybody may open a commit with any size; a report is written all the same.</summary>
public sealed class ReportWriterTests
{
    [Fact]
    public void Sizes_beyond_what_the_rules_allow_count_as_that_and_their_sum_has_no_end()
    {
        Assert.Equal(700, ReportWriter.MeanOf([long.MaxValue, long.MaxValue, 100], 1000));
        Assert.Equal((double)long.MaxValue, ReportWriter.MeanOf([long.MaxValue, long.MaxValue], long.MaxValue));
        Assert.Equal(0, ReportWriter.MeanOf([], 1000));
    }
}
