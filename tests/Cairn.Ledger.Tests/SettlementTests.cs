using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class SettlementTests
{
    private static World Settling(int validators, long[] bonds, long peerBond = 100, Func<LedgerRules, LedgerRules>? change = null)
    {
        var world = new World(peers: 3, validators: validators, validatorBonds: bonds, peerBond: peerBond,
            change: rules => (change?.Invoke(rules) ?? rules) with { SettleEvery = 1, RewardPerSettlement = 1000 });
        world.Round();
        Assert.Equal(Stage.Settle, world.State.Stage);
        return world;
    }

    [Fact]
    public void Consensus_shares_sum_to_exactly_one_and_rewards_to_exactly_the_whole()
    {
        var world = Settling(3, [1, 1, 1]);
        world.Must(3, world.Share(Digest.Zero, (0, 333_333_333), (1, 333_333_333), (2, 333_333_334)));
        world.Must(4, world.Share(Digest.Zero, (0, 200_000_001), (1, 799_999_999)));
        world.Must(5, world.Share(Digest.Zero, (0, 500_000_000), (2, 500_000_000)));
        var shares = world.State.ConsensusShares;

        // Medians 333333333, 333333333, 333333334.
        Assert.Equal([333_333_333L, 333_333_333L, 333_333_334L], shares.Select(entry => entry.Share));
        Assert.Equal(Shares.One, shares.Sum(entry => entry.Share));
        Assert.Equal([333L, 333L, 334L], world.State.Members.Take(3).Select(member => member.Reward));
    }

    [Fact]
    public void A_minority_of_bond_cannot_pay_its_friend()
    {
        var world = Settling(3, [2, 2, 1]);
        world.Must(3, world.Share(Digest.Zero, (0, 500_000_000), (1, 500_000_000)));
        world.Must(4, world.Share(Digest.Zero, (0, 500_000_000), (1, 500_000_000)));
        world.Must(5, world.Share(Digest.Zero, (2, Shares.One)));
        Assert.Equal([500L, 500L, 0L], world.State.Members.Take(3).Select(member => member.Reward));
        Assert.Equal([0, 1], world.State.ConsensusShares.Select(entry => entry.Uid.Value));
    }

    [Fact]
    public void Without_two_thirds_of_bond_nothing_is_paid()
    {
        var world = Settling(2, [64, 36]);
        world.Must(3, world.Share(World.Named("checkpoint", 0), (0, Shares.One)));
        world.Must(3, world.Timeout());
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Empty(world.State.ConsensusShares);
        Assert.Equal(0, world.State.Members[0].Reward);

        // A majority is enough for a checkpoint.
        Assert.Equal((new Round(0), World.Named("checkpoint", 0)), world.State.LatestCheckpoint);
    }

    [Fact]
    public void A_checkpoint_needs_more_than_half_of_bond_on_the_same_digest()
    {
        var world = Settling(2, [5, 5]);
        world.Must(3, world.Share(World.Named("checkpoint", 0)));
        world.Must(4, world.Share(World.Named("checkpoint", 1)));
        Assert.Null(world.State.LatestCheckpoint);
        Assert.Empty(world.State.Checkpoints);
    }

    [Fact]
    public void No_opinion_pays_nobody_and_is_no_checkpoint()
    {
        var world = Settling(1, [5]);
        world.Must(3, world.Share(Digest.Zero));
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Null(world.State.LatestCheckpoint);
        Assert.All(world.State.Members, member => Assert.Equal(0, member.Reward));
    }

    [Fact]
    public void A_newcomers_pay_is_locked_as_bond_until_it_is_established()
    {
        var world = Settling(1, [5], peerBond: 0, change: rules => rules with { PeerBondMin = 700 });
        world.Must(3, world.Share(Digest.Zero, (0, Shares.One)));
        Assert.Equal((700L, 300L), (world.State.Members[0].Bond, world.State.Members[0].Reward));
        Assert.Equal([false, true, true], world.State.Roster.Select(entry => entry.Newcomer));
    }

    [Theory]
    [InlineData(new long[] { 1, 1, 1 }, 10, new long[] { 4, 3, 3 })]
    [InlineData(new long[] { 0, 5, 5 }, 3, new long[] { 0, 2, 1 })]
    [InlineData(new long[] { 1, 2 }, 1, new long[] { 0, 1 })]
    [InlineData(new long[] { 7 }, 1000, new long[] { 1000 })]
    public void Division_gives_the_rest_to_the_largest_remainders_and_ties_to_the_lower_uid(long[] parts, long whole, long[] expected)
    {
        // Seen from outside: shares of `parts` on a whole of RewardPerSettlement.
        var sum = parts.Sum();
        Assert.Equal(whole, expected.Sum());
        var world = new World(peers: parts.Length, change: rules => rules with { SettleEvery = 1, RewardPerSettlement = whole });
        world.Round();
        var first = parts.Select((part, uid) => (uid, part * Shares.One / sum)).ToArray();
        first[Array.FindIndex(parts, part => part > 0)].Item2 += Shares.One - first.Sum(entry => entry.Item2);
        world.Must(parts.Length, world.Share(Digest.Zero, first));
        Assert.Equal(expected, world.State.Members.Take(parts.Length).Select(member => member.Reward));
    }
}
