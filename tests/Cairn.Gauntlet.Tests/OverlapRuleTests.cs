using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class OverlapRuleTests
{
    private static readonly OverlapRule Rule = new();
    private static readonly Uid A = new(3), B = new(1), C = new(2);

    [Theory]
    [InlineData(399, OverlapSeverity.None)]
    [InlineData(400, OverlapSeverity.High)]
    [InlineData(499, OverlapSeverity.High)]
    [InlineData(501, OverlapSeverity.Max)]
    [InlineData(599, OverlapSeverity.Max)]
    [InlineData(601, OverlapSeverity.Mega)]
    [InlineData(1000, OverlapSeverity.Mega)]
    [InlineData(0, OverlapSeverity.None)]
    public void Severity_follows_the_part_shared(long shared, OverlapSeverity severity) => Assert.Equal(severity, Rule.SeverityOf(shared, 1000));

    [Fact]
    public void Half_shared_is_max_and_nothing_compared_is_none()
    {
        Assert.Equal(OverlapSeverity.Max, Rule.SeverityOf(2, 4));
        Assert.Equal(OverlapSeverity.None, Rule.SeverityOf(0, 0));
        Assert.Equal(OverlapSeverity.None, new OverlapRule(700).SeverityOf(699, 1000));
        Assert.Equal(OverlapSeverity.Mega, new OverlapRule(700).SeverityOf(700, 1000));
        Assert.Equal(OverlapSeverity.Mega, Rule.SeverityOf(long.MaxValue, long.MaxValue));
        Assert.Throws<InvariantViolation>(() => Rule.SeverityOf(5, 4));
        Assert.Throws<InvariantViolation>(() => Rule.SeverityOf(-1, 4));
    }

    [Fact]
    public void The_later_commit_is_the_copy_whatever_the_uids()
    {
        Assert.Equal([(B, OverlapSeverity.Mega)], Rule.FindCopies([new(A, B, 9, 10)], [A, B]));
        Assert.Equal([(A, OverlapSeverity.Mega)], Rule.FindCopies([new(A, B, 9, 10)], [B, A]));
    }

    [Fact]
    public void Of_three_alike_the_two_later_are_copies() => Assert.Equal(
        [(B, OverlapSeverity.Mega), (C, OverlapSeverity.Mega)],
        Rule.FindCopies([new(A, B, 10, 10), new(B, C, 10, 10), new(A, C, 10, 10)], [A, B, C]));

    [Fact]
    public void The_gravest_pair_counts_in_any_order()
    {
        PairOverlap grave = new(A, B, 9, 10), mild = new(C, B, 4, 10);
        Assert.Equal([(B, OverlapSeverity.Mega)], Rule.FindCopies([grave, mild], [A, C, B]));
        Assert.Equal([(B, OverlapSeverity.Mega)], Rule.FindCopies([mild, grave], [A, C, B]));
    }

    [Fact]
    public void Strangers_and_empty_rounds_have_no_copies()
    {
        Assert.Empty(Rule.FindCopies([new(A, B, 1, 10)], [A, B]));
        Assert.Empty(Rule.FindCopies([], []));
    }

    [Fact]
    public void A_copy_is_refused_and_an_update_refused_already_keeps_its_reason()
    {
        var checks = FastCheck.WithCopies(
            [new(B, Rejection.None), new(C, Rejection.BadCode), new(A, Rejection.None)], [(B, OverlapSeverity.High), (C, OverlapSeverity.Mega)]);
        Assert.Equal([Rejection.Copied, Rejection.BadCode, Rejection.None], checks.Select(check => check.Reason));
        Assert.Equal([false, false, true], checks.Select(check => check.Passed));
    }
}
