namespace Cairn.Base.Tests;

public sealed class UnitsTests
{
    [Fact]
    public void Rounds_and_uids_are_ordered_by_their_numbers()
    {
        Assert.Equal(new Round(4), new Round(3).Next);
        Assert.True(new Round(3) < new Round(4) && new Round(4) > new Round(3) && new Round(3) <= new Round(3) && new Round(3) >= new Round(3));
        Assert.True(new Uid(3) < new Uid(4) && new Uid(4) > new Uid(3) && new Uid(3) <= new Uid(3) && new Uid(3) >= new Uid(3));
        Assert.Equal([new Uid(1), new Uid(2), new Uid(10)], new[] { new Uid(10), new Uid(1), new Uid(2) }.Order());
        Assert.Equal("12", new Round(12).ToString());
        Assert.Equal("12", new Uid(12).ToString());
    }

    [Fact]
    public void A_broken_invariant_names_its_condition_and_its_place()
    {
        var found = Assert.Throws<InvariantViolation>(() => Invariant.Check(1 + 1 == 3));
        Assert.Contains("1 + 1 == 3", found.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(A_broken_invariant_names_its_condition_and_its_place), found.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_numbers_of_the_reasons_never_change()
    {
        Assert.Equal(0, (int)Rejection.None);
        Assert.Equal(5, (int)Rejection.BadSignature);
        Assert.Equal(12, (int)Rejection.Copied);
        Assert.Equal(17, (int)Rejection.Harmful);
        Assert.Equal(Enumerable.Range(0, Enum.GetValues<Rejection>().Length), Enum.GetValues<Rejection>().Select(reason => (int)reason));
    }
}
