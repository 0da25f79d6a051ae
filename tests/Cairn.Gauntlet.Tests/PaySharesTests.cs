using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class PaySharesTests
{
    [Fact]
    public void Shares_sum_to_the_whole_and_follow_samples_times_quality()
    {
        var shares = PayShares.Divide([Claim(1, 100, 16), Claim(2, 100, 4), Claim(3, 300, 16)]);
        Assert.Equal([235_294_118, 58_823_529, 705_882_353], shares.Select(s => s.Share));
        Assert.Equal(PayShares.One, shares.Sum(s => s.Share));
    }

    [Fact]
    public void Of_equal_remainders_the_lower_uid_gets_the_billionth() =>
        Assert.Equal([333_333_334, 333_333_333, 333_333_333], PayShares.Divide([Claim(4, 7, 9), Claim(5, 7, 9), Claim(6, 7, 9)]).Select(s => s.Share));

    [Fact]
    public void Any_claims_sum_to_exactly_the_whole()
    {
        var random = new SeededRandom(6, "pay");
        for (var trial = 0; trial < 2000; trial++)
        {
            var size = trial % 4 == 0 ? long.MaxValue : 1000;
            PayClaim[] claims = [.. Enumerable.Range(0, 1 + random.NextBelow(30)).Select(i => Claim(i, (long)random.NextBelow((ulong)size), 4 + random.NextBelow(13)))];
            var shares = PayShares.Divide(claims);
            Assert.True(shares.Count == 0 ? claims.All(c => c.Samples == 0) : shares.Sum(s => s.Share) == PayShares.One);
            Assert.All(shares, s => Assert.InRange(s.Share, 0, PayShares.One));
            Assert.All(shares.Zip(claims), p => Assert.True(p.Second.Samples > 0 || p.First.Share == 0));
        }
    }

    [Fact]
    public void Nobody_with_samples_leaves_no_shares()
    {
        Assert.Empty(PayShares.Divide([]));
        Assert.Empty(PayShares.Divide([Claim(1, 0, 16)]));
    }

    [Fact]
    public void A_copied_update_earns_no_share()
    {
        var book = TestData.After([TestData.Accepted(0, 50), TestData.Refused(1, Rejection.Copied), TestData.Refused(2, Rejection.BadCode)]);
        Assert.Equal([new PayShare(new Uid(0), PayShares.One)], PayShares.Divide(PayShares.Claims(book, isLast: true)));
    }

    [Fact]
    public void A_peer_that_was_good_for_many_rounds_cannot_live_on_its_name()
    {
        var probe = TestData.Score(0.2, 0.1);
        IReadOnlyList<Observation>[] rounds = [.. Enumerable.Repeat<IReadOnlyList<Observation>>(
            [TestData.Accepted(0, probe: probe), TestData.Accepted(1, probe: TestData.Score(0.1, 0.05))], 30)];
        var book = TestData.After(rounds).Settle();
        book = book.Observe(new Round(30), [TestData.Refused(0, Rejection.Missing), TestData.Accepted(1)], RatingRules.Bounded);
        Assert.Equal([1], PayShares.Divide(PayShares.Claims(book, isLast: true)).Select(s => s.Uid.Value));
    }

    [Fact]
    public void Quality_is_a_quarter_for_a_newcomer_and_one_for_a_proven_peer()
    {
        var record = new PeerRecord { Uid = new Uid(0), FirstRound = default, LastRound = default };
        Assert.Equal(4, Quality.Of(record));
        Assert.Equal(16, Quality.Of(record with { Rating = new Rating(30, 2), Indicator = 0.6 }));
        Assert.Equal(10, Quality.Of(record with { Rating = new Rating(30, 2) }));
        Assert.Equal(4, Quality.Of(record with { Rating = new Rating(3, 2), Indicator = -0.6 }));
    }

    [Fact]
    public void More_than_four_negatives_of_eight_leave_a_quarter_and_four_do_not()
    {
        var proven = new PeerRecord { Uid = new Uid(0), FirstRound = default, LastRound = default, Rating = new Rating(30, 2), Indicator = 0.6, ProbeCount = 8 };
        Assert.Equal(16, Quality.Of(proven with { NegativeBits = 0b1010_1010 }));
        Assert.Equal(4, Quality.Of(proven with { NegativeBits = 0b1010_1011 }));
    }

    private static PayClaim Claim(int uid, long samples, int quality) => new(new Uid(uid), samples, quality);
}
