using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

/// <summary>What the order of a trial decides.</summary>
public sealed class RoundTrialTests
{
    private static readonly TrialRules Rules = new(Rounds: 100, ProbedPeers: 4, OverlapPerMille: 400, RatingRules.Bounded);
    private static readonly Uid Established = new(0);
    private static readonly Uid Newcomer = new(1);

    [Theory]
    [InlineData(true, false)] // a key that costs nothing, quicker than the author whose update it computed
    [InlineData(true, true)]
    [InlineData(false, true)]
    public void Of_two_alike_the_copy_is_the_later_one_but_never_an_established_peer_for_the_sake_of_one_on_trial(bool newcomer, bool newcomerIsFirst)
    {
        var peers = new TrialPeer[] { new(Established, false, newcomerIsFirst ? 1 : 0, 8), new(Newcomer, newcomer, newcomerIsFirst ? 0 : 1, 8) };
        var copies = new RoundTrial(
            new Round(3), Digest.Of("beacon"u8), PeerBook.Empty, peers, [new(Established, Rejection.None), new(Newcomer, Rejection.None)],
            [new PairOverlap(Established, Newcomer, 10, 10)], Rules)
            .Close(new Dictionary<Uid, LossScore>()).Observations.Where(seen => seen.Reason == Rejection.Copied).Select(seen => seen.Uid);
        Assert.Equal([newcomer || !newcomerIsFirst ? Newcomer : Established], copies);
    }

    [Fact]
    public void Where_the_ledger_did_not_pay_nothing_that_was_earned_is_forgotten()
    {
        var book = TestData.After([TestData.Accepted(0, probe: TestData.Clear(9)), TestData.Accepted(2, probe: TestData.Clear(9))]);
        Assert.True(book.HasTold);
        Assert.Same(book, RoundTrial.BookBefore(book, new Round(5), settleEvery: 5, paid: false));
        Assert.Same(book, RoundTrial.BookBefore(book, new Round(4), settleEvery: 5, paid: true));
        Assert.False(RoundTrial.BookBefore(book, new Round(5), settleEvery: 5, paid: true).HasTold);
    }
}
