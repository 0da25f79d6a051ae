using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class PlackettLuceTests
{
    [Fact]
    public void Three_newcomers_are_rated_as_published()
    {
        var rated = Rate([0.002, 0.001, -0.001]);
        AssertRating(27.456249, 8.253535, rated[0]);
        AssertRating(25.614062, 8.162140, rated[1]);
        AssertRating(21.929688, 8.162140, rated[2]);
        Assert.Equal(2.695645, rated[0].Ordinal, 6);
        Assert.Equal(1.127643, rated[1].Ordinal, 6);
        Assert.Equal(-2.556731, rated[2].Ordinal, 6);
    }

    [Fact]
    public void Two_newcomers_are_rated_as_published()
    {
        var rated = Rate([1, 0]);
        AssertRating(27.256209, 8.166896, rated[0]);
        AssertRating(22.743791, 8.166896, rated[1]);
    }

    [Fact]
    public void Equal_scores_leave_equal_players_equal()
    {
        var rated = Rate([5, 5, 5]);
        Assert.Equal(rated[0], rated[1]);
        Assert.Equal(25, rated[2].Mu, 12);
        Assert.True(rated[0].Sigma < 25.0 / 3);
    }

    [Fact]
    public void Fewer_than_two_players_learn_nothing()
    {
        Assert.Equal([Rating.Newcomer], Rate([1]));
        Assert.Empty(Rate([]));
    }

    [Fact]
    public void The_order_in_which_players_are_listed_does_not_matter()
    {
        var (there, back) = (Rate([3, 1, 2, double.NegativeInfinity]), Rate([double.NegativeInfinity, 2, 1, 3]));
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal(there[i].Mu, back[3 - i].Mu, 12);
            Assert.Equal(there[i].Sigma, back[3 - i].Sigma, 12);
        }

        Assert.True(there[0].Mu > there[2].Mu && there[2].Mu > there[1].Mu && there[1].Mu > there[3].Mu);
    }

    [Fact]
    public void Without_bounds_a_lead_grows_for_ever_and_with_them_a_newcomer_can_catch_up()
    {
        (Rating Best, Rating Middle, Rating Worst) Play(RatingRules rules)
        {
            var ratings = Enumerable.Repeat(Rating.Newcomer, 20).ToArray();
            var scores = Enumerable.Range(0, 20).Select(i => -(double)i).ToArray();
            for (var match = 0; match < 100; match++)
            {
                ratings = PlackettLuce.Rate(ratings, scores, rules);
            }

            return (ratings[0], ratings[10], ratings[19]);
        }

        var published = Play(RatingRules.Published);
        Assert.InRange(published.Best.Ordinal, 116, 136);
        Assert.InRange(published.Middle.Ordinal, 0, 16);
        Assert.InRange(published.Worst.Ordinal, -149, -129);
        var bounded = Play(RatingRules.Bounded);
        Assert.Equal(50, bounded.Best.Mu);
        Assert.Equal(0, bounded.Worst.Mu);
    }

    private static Rating[] Rate(double[] scores) =>
        PlackettLuce.Rate([.. scores.Select(_ => Rating.Newcomer)], scores, RatingRules.Published);

    private static void AssertRating(double mu, double sigma, Rating rating)
    {
        Assert.Equal(mu, rating.Mu, 6);
        Assert.Equal(sigma, rating.Sigma, 6);
    }
}
