using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class SettlementTests
{
    private static World Settling(int validators, long[] bonds, long peerBond = 100, Func<LedgerRules, LedgerRules>? change = null)
    {
        var world = new World(peers: 3, validators: validators, validatorBonds: bonds, peerBond: peerBond,
            change: rules => (change?.Invoke(rules) ?? rules) with { SettleEvery = 1, RewardPerSettlement = 1000, DividendShare = 0, AuditShare = 0 });
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

        // What two of three support: a third of each.
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
    public void A_third_of_bond_that_gives_all_to_a_friend_changes_nobodys_pay()
    {
        var honest = Settling(3, [1, 1, 1]);
        honest.SettleAll((0, 300_000_000), (1, 300_000_000), (2, 400_000_000));
        var lied = Settling(3, [1, 1, 1]);
        lied.Must(3, lied.Share(Digest.Zero, (0, 300_000_000), (1, 300_000_000), (2, 400_000_000)));
        lied.Must(4, lied.Share(Digest.Zero, (0, 300_000_000), (1, 300_000_000), (2, 400_000_000)));
        lied.Must(5, lied.Share(Digest.Zero, (0, Shares.One)));
        Assert.Equal(honest.State.ConsensusShares.Select(e => (e.Uid, e.Share)), lied.State.ConsensusShares.Select(e => (e.Uid, e.Share)));
    }

    [Fact]
    public void Half_of_those_who_came_is_not_half_of_all_bond()
    {
        var world = Settling(3, [34, 33, 33]);
        world.Must(3, world.Share(Digest.Zero, (2, Shares.One)));
        world.Must(4, world.Share(Digest.Zero, (0, Shares.One)));
        world.Must(3, world.Timeout());
        world.Must(4, world.Timeout());
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Empty(world.State.ConsensusShares);
    }

    [Fact]
    public void What_too_few_validators_settled_is_paid_by_the_next_settlement_that_pays()
    {
        var world = Settling(3, [1, 1, 1]);
        world.Must(3, world.Share(Digest.Zero, (0, Shares.One)));
        world.Must(3, world.Timeout());
        world.Must(4, world.Timeout());
        Assert.Equal((new Round(1), 1000L, false), (world.State.CurrentRound, world.State.Unpaid, world.State.PaidIn(new Round(0))));
        Assert.All(world.State.Members, member => Assert.Equal(0, member.Reward));

        world.Round();
        world.SettleAll((0, 500_000_000), (1, 500_000_000));
        Assert.Equal((0L, true), (world.State.Unpaid, world.State.PaidIn(new Round(1))));
        Assert.Equal([1000L, 1000L, 0L], world.State.Members.Take(3).Select(member => member.Reward));
    }

    [Fact]
    public void Beside_a_silent_validator_a_liar_cannot_make_the_whole_of_the_little_that_another_says_of_its_friend()
    {
        var world = Settling(3, [1, 1, 1]);
        world.Must(3, world.Share(Digest.Zero, (0, 450_000_000), (1, 450_000_000), (2, 100_000_000)));
        world.Must(4, world.Share(Digest.Zero, (2, Shares.One)));
        world.Must(3, world.Timeout());
        world.Must(4, world.Timeout());
        Assert.Equal(new Round(1), world.State.CurrentRound);
        Assert.Empty(world.State.ConsensusShares);
        Assert.Equal(0, world.State.Minted);
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

    [Fact]
    public void What_two_thirds_of_bond_cannot_tell_yet_is_paid_by_the_next_settlement_that_can()
    {
        var world = Settling(3, [1, 1, 1]);
        world.Must(3, world.Share(Digest.Zero));
        world.Must(4, world.Share(Digest.Zero));
        world.Must(5, world.Share(Digest.Zero, (2, Shares.One)));
        Assert.Equal((1000L, 0L), (world.State.Unpaid, world.State.Minted));
        Assert.Empty(world.State.ConsensusShares);

        world.Round();
        world.SettleAll((0, Shares.One / 2), (1, Shares.One / 2));
        Assert.Equal((0L, 2000L), (world.State.Unpaid, world.State.Minted));
        Assert.Equal([1000L, 1000L, 0L], world.State.Members.Take(3).Select(member => member.Reward));
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void Where_some_can_tell_and_others_cannot_nothing_is_lost()
    {
        var world = Settling(2, [1, 1]);
        world.Must(3, world.Share(Digest.Zero));
        world.Must(4, world.Share(Digest.Zero, (0, Shares.One)));
        Assert.Equal((1000L, 0L), (world.State.Unpaid, world.State.Minted));
        world.Round();
        world.SettleAll((0, Shares.One));
        Assert.Equal((0L, 2000L), (world.State.Unpaid, world.State.Members[0].Reward));
    }

    [Fact]
    public void One_validator_that_says_nothing_keeps_no_pay_back()
    {
        var world = Settling(3, [1, 1, 1]);
        world.Must(3, world.Share(Digest.Zero));
        world.Must(4, world.Share(Digest.Zero, (0, Shares.One)));
        world.Must(5, world.Share(Digest.Zero, (0, Shares.One)));
        Assert.Equal((0L, 1000L), (world.State.Unpaid, world.State.Members[0].Reward));
    }

    [Fact]
    public void Audits_and_validators_are_paid_out_of_the_same_settlement_and_nothing_is_lost()
    {
        var world = new World(peers: 3, validators: 3, validatorBonds: [10, 10, 10], change: rules => rules with
        {
            SettleEvery = 1,
            RewardPerSettlement = 1000,
            DividendShare = Shares.One / 10,
            AuditShare = Shares.One / 50,
        });
        world.Round();
        world.SettleAll((0, Shares.One / 2), (1, Shares.One / 2));
        Assert.Equal((20L, 1000L), (world.State.AuditFund, world.State.Minted));
        Assert.Equal([440L, 440L, 0L, 34L, 33L, 33L], world.State.Members.Select(member => member.Reward));
    }

    [Fact]
    public void A_validator_that_copies_the_others_late_earns_less_than_they_who_saw_first()
    {
        var world = new World(peers: 2, validators: 3, validatorBonds: [10, 10, 10], change: rules => rules with { SettleEvery = 1, RewardPerSettlement = 1_000_000, PeerBondMin = 1 });
        for (var round = 0; round < 6; round++)
        {
            world.Round();
            var (good, bad) = round < 2 ? (0, 1) : (1, 0);
            world.Must(2, world.Share(Digest.Zero, (good, Shares.One)));
            world.Must(3, world.Share(Digest.Zero, (good, Shares.One)));

            // The copier says what stood on the ledger at the last settlement.
            var copied = round is 0 or > 2 ? good : 0;
            world.Must(4, world.Share(Digest.Zero, (copied, Shares.One)));
            Assert.Equal(copied == bad, world.State.ConsensusShares.All(entry => entry.Uid.Value != copied));
        }

        var rewards = world.State.Members.Skip(2).Select(member => member.Reward).ToList();
        Assert.InRange(rewards[0] - rewards[1], -10, 10);
        Assert.True(rewards[2] < rewards[0], $"{rewards[2]} against {rewards[0]}");
    }

    [Fact]
    public void All_newcomers_together_are_paid_a_tenth_however_many_keys_they_are()
    {
        var world = new World(peers: 3, change: rules => rules with { SettleEvery = 1, RewardPerSettlement = 1000, DividendShare = 0, AuditShare = 0, PeerBondMin = 100 });
        for (var i = 0; i < 2; i++)
        {
            world.NewKey();
            world.Must(4 + i, new Register(Role.Peer, $"new-{i}", Digest.Zero));
        }

        world.Round();
        world.SettleAll();
        world.Round();
        world.SettleAll((0, 200_000_000), (1, 200_000_000), (4, 300_000_000), (5, 300_000_000));
        // Of the pay of two settlements, for in the first nothing could be told.
        Assert.Equal(200, world.State.Members[4].Bond + world.State.Members[5].Bond);
        Assert.Equal([900L, 900L], world.State.Members.Take(2).Select(member => member.Reward));
        Assert.Equal(Shares.One, world.State.ConsensusShares.Sum(entry => entry.Share));
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
        var world = new World(peers: parts.Length, change: rules => rules with { SettleEvery = 1, RewardPerSettlement = whole, DividendShare = 0, AuditShare = 0 });
        world.Round();
        var first = parts.Select((part, uid) => (uid, part * Shares.One / sum)).ToArray();
        first[Array.FindIndex(parts, part => part > 0)].Item2 += Shares.One - first.Sum(entry => entry.Item2);
        world.Must(parts.Length, world.Share(Digest.Zero, first));
        Assert.Equal(expected, world.State.Members.Take(parts.Length).Select(member => member.Reward));
    }
}
