using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>Yuma as a settlement of the ledger would use it.</summary>
public sealed class EpochConsensusTests
{
    private static readonly EpochRules Rules = new();

    private static EpochVoter Voter(int uid, long bond, params (int Peer, long Share)[] shares) =>
        new(new Uid(uid), bond, [.. shares.Select(share => new ShareEntry(new Uid(share.Peer), share.Share))], []);

    private static (int, long)[] Shown(IReadOnlyList<ShareEntry> entries) => [.. entries.Select(entry => (entry.Uid.Value, entry.Share))];

    [Fact]
    public void Incentives_and_dividends_sum_to_exactly_one_settlement_after_settlement()
    {
        for (var seed = 0UL; seed < 60; seed++)
        {
            var random = new SeededRandom(seed, "test/epoch");
            var rules = new EpochRules
            {
                Kappa = 1 + (long)random.NextBelow((ulong)Shares.One),
                BackingPenalty = (long)random.NextBelow((ulong)Shares.One + 1),
                BackingMovingAverage = (long)random.NextBelow((ulong)Shares.One),
            };
            var (peers, voters) = (1 + random.NextBelow(20), 1 + random.NextBelow(6));
            var backings = Enumerable.Repeat<IReadOnlyList<Backing>>([], voters).ToArray();
            for (var settlement = 0; settlement < 4; settlement++)
            {
                var said = new List<EpochVoter>();
                for (var i = 0; i < voters; i++)
                {
                    var parts = Enumerable.Range(0, peers).Select(_ => (long)random.NextBelow(1000)).ToArray();
                    var posted = Consensus.Divide(Shares.One, parts.Sum() == 0 ? [1, .. parts[1..]] : parts);
                    said.Add(new EpochVoter(
                        new Uid(peers + i), 1 + random.NextBelow(1000), random.NextBelow(5) == 0 ? null : [.. posted.Select((share, uid) => new ShareEntry(new Uid(uid), share))], backings[i]));
                }

                var outcome = EpochConsensus.Settle(said, rules);
                Assert.True(outcome.Incentives.Sum(entry => entry.Share) is 0 or Shares.One);
                Assert.True(outcome.Dividends.Sum(entry => entry.Share) is 0 or Shares.One);
                Assert.All(outcome.Incentives, entry => Assert.True(entry.Share > 0 && entry.Uid.Value < peers));
                Assert.All(outcome.Dividends, entry => Assert.True(entry.Share > 0 && entry.Uid.Value >= peers));
                Assert.All(outcome.Backings.SelectMany(row => row), backing => Assert.InRange(backing.Bits, 1, Fixed32.One.Bits));
                backings = [.. outcome.Backings];
            }
        }
    }

    [Fact]
    public void A_minority_below_kappa_cannot_raise_a_share()
    {
        EpochVoter[] honest = [Voter(10, 30, (0, 500_000_000), (1, 500_000_000)), Voter(11, 30, (0, 500_000_000), (1, 500_000_000))];
        var outcome = EpochConsensus.Settle([.. honest, Voter(12, 59, (2, Shares.One))], Rules);
        Assert.Equal([(0, 500_000_000L), (1, 500_000_000L)], Shown(outcome.Incentives));

        // Nor does it earn by having said it: all dividends go to those who said what was agreed.
        Assert.Equal([10, 11], outcome.Dividends.Select(entry => entry.Uid.Value));

        // With exactly half it can still raise nothing; with more it can.
        Assert.Empty(EpochConsensus.Settle([Voter(10, 30, (0, Shares.One)), Voter(12, 30, (2, Shares.One))], Rules).Incentives);
        Assert.Equal([(2, Shares.One)], Shown(EpochConsensus.Settle([Voter(10, 30, (0, Shares.One)), Voter(12, 31, (2, Shares.One))], Rules).Incentives));
    }

    [Fact]
    public void One_validator_decides_alone_and_earns_all_dividends()
    {
        var outcome = EpochConsensus.Settle([Voter(3, 1, (0, 333_333_333), (1, 333_333_333), (2, 333_333_334))], Rules);
        Assert.Equal([(0, 333_333_333L), (1, 333_333_333L), (2, 333_333_334L)], Shown(outcome.Incentives));
        Assert.Equal([(3, Shares.One)], Shown(outcome.Dividends));
    }

    [Fact]
    public void Dividends_of_equal_opinions_go_by_bond()
    {
        var outcome = EpochConsensus.Settle([Voter(5, 3, (0, Shares.One)), Voter(6, 1, (0, Shares.One))], Rules);
        Assert.Equal([(5, 750_000_000L), (6, 250_000_000L)], Shown(outcome.Dividends));
    }

    [Fact]
    public void Who_backed_a_peer_early_earns_more_than_who_follows()
    {
        var first = EpochConsensus.Settle([Voter(5, 10, (0, Shares.One)), Voter(6, 10, (1, Shares.One)), Voter(7, 11, (0, Shares.One))], Rules);
        EpochVoter[] all = [Voter(5, 10, (0, Shares.One)), Voter(6, 10, (0, Shares.One)), Voter(7, 11, (0, Shares.One))];
        var second = EpochConsensus.Settle([.. all.Zip(first.Backings, (voter, kept) => voter with { Backings = kept })], Rules);
        Assert.Equal([(0, Shares.One)], Shown(second.Incentives));
        Assert.True(second.Dividends[0].Share > second.Dividends[1].Share);
    }

    [Fact]
    public void A_validator_that_posts_nothing_does_not_count_and_its_backings_fade()
    {
        Backing[] kept = [new(new Uid(0), Fixed32.One.Bits / 2)];
        var silent = new EpochVoter(new Uid(5), 1000, null, kept);
        var outcome = EpochConsensus.Settle([silent, Voter(6, 1, (1, Shares.One))], Rules);
        Assert.Equal([(1, Shares.One)], Shown(outcome.Incentives));
        Assert.Equal([(6, Shares.One)], Shown(outcome.Dividends));
        Assert.InRange(Assert.Single(outcome.Backings[0]).Bits, 1, kept[0].Bits - 1);
    }

    [Fact]
    public void A_validator_that_names_itself_is_not_heard_about_itself()
    {
        var outcome = EpochConsensus.Settle([Voter(5, 1, (0, 100_000_000), (5, 900_000_000))], Rules);
        Assert.Equal([(0, Shares.One)], Shown(outcome.Incentives));
    }

    [Fact]
    public void Without_voters_bonds_or_words_there_is_nothing_to_divide()
    {
        Assert.Empty(EpochConsensus.Settle([], Rules).Incentives);
        Assert.Empty(EpochConsensus.Settle([Voter(5, 0, (0, Shares.One))], Rules).Incentives);
        var silent = EpochConsensus.Settle([Voter(5, 1)], Rules);
        Assert.Empty(silent.Incentives);
        Assert.Empty(silent.Dividends);
        Assert.Empty(Assert.Single(silent.Backings));
    }
}
