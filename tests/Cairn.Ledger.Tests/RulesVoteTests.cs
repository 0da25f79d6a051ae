using Cairn.Base;

namespace Cairn.Ledger.Tests;

public class RulesVoteTests
{
    private static readonly RuleChange[] Half = [new(Rule.RewardPerSettlement, 500_000_000)];

    [Fact]
    public void The_rules_of_the_genesis_are_version_one()
    {
        var version = Assert.Single(new World().State.RulesVersions);
        Assert.Equal((1, World.RulesDigest, new Round(0)), (version.Number, version.RulesDigest, version.From));
        Assert.Empty(version.Changes);
    }

    [Fact]
    public void Two_thirds_of_the_bond_change_a_rule_from_the_announced_round_on()
    {
        var world = Three(rules => rules with { SettleEvery = 1 });
        world.Must(3, Vote(world, 2, Half));
        Assert.Equal((1, 10L, 30L), (Assert.Single(world.State.RulesProposals()).Voters.Count, world.State.RulesProposals()[0].Bond, world.State.RulesProposals()[0].BondTotal));
        Assert.Single(world.State.RulesVersions);
        world.Must(4, Vote(world, 2, Half));
        Assert.Empty(world.State.RulesProposals());
        Assert.Equal((2, new Round(2)), (world.State.RulesVersions[1].Number, world.State.RulesVersions[1].From));
        var minted = new List<long>();
        for (var round = 0; round < 4; round++)
        {
            Assert.Equal(round < 2 ? 1_000_000_000 : 500_000_000, world.State.Rules.RewardPerSettlement);
            var before = world.State.Minted;
            world.Round();
            world.SettleAll((0, Shares.One));
            minted.Add(world.State.Minted - before);
        }

        Assert.Equal([1_000_000_000, 1_000_000_000, 500_000_000, 500_000_000], minted);
        Assert.Equal((1_000_000_000, 500_000_000), (world.State.RulesAt(new Round(1)).RewardPerSettlement, world.State.RulesAt(new Round(49)).RewardPerSettlement));
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void Votes_for_one_change_in_several_rounds_add_up_and_others_do_not()
    {
        var world = Three();
        world.Must(3, Vote(world, 5, Half));
        world.Round();
        world.Must(4, Vote(world, 5, [new(Rule.RewardPerSettlement, 1)]));
        Assert.Equal(2, world.State.RulesProposals().Count);
        world.Round();
        world.Must(4, Vote(world, 5, Half));
        Assert.Equal(2, world.State.RulesVersions.Count);
    }

    [Fact]
    public void A_vote_can_be_taken_back_in_a_later_round_only()
    {
        var world = Three();
        world.Must(3, Vote(world, 9, Half));
        Assert.Equal(Rejection.AlreadyThere, world.Check(3, Vote(world, 9, Half)));
        Assert.Equal(Rejection.Equivocation, world.Check(3, Vote(world, 0, [])));
        Assert.Equal(Rejection.AlreadyThere, world.Check(4, Vote(world, 0, [])));
        world.Round();
        world.Must(3, Vote(world, 0, []));
        world.Must(4, Vote(world, 9, Half));
        Assert.Single(world.State.RulesVersions);
        Assert.Equal([4], Assert.Single(world.State.RulesProposals()).Voters.Select(uid => uid.Value));
    }

    [Fact]
    public void An_old_vote_is_not_said_again_by_others()
    {
        var world = Three();
        var old = world.Sign(3, Vote(world, 9, Half));
        world.Must(3, (VoteRules)old.Operation);
        world.Round();
        Assert.Equal(Rejection.Late, world.State.Check(old));
    }

    [Fact]
    public void A_change_must_be_announced_two_rounds_ahead_and_lie_in_the_run()
    {
        var world = Three(rules => rules with { Rounds = 6 });
        world.Round();
        Assert.Equal(Rejection.Late, world.Check(3, Vote(world, 2, Half)));
        Assert.Equal(Rejection.None, world.Check(3, Vote(world, 3, Half)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(3, Vote(world, 6, Half)));
        world.Must(3, Vote(world, 3, Half));
        world.Round();
        Assert.Empty(world.State.RulesProposals());
        world.Must(4, Vote(world, 4, Half));
        Assert.Single(world.State.RulesVersions);
    }

    [Fact]
    public void Only_validators_with_a_voice_vote()
    {
        var world = Three();
        Assert.Equal(Rejection.NotEntitled, world.Check(0, Vote(world, 5, Half)));
        Assert.Equal(Rejection.NotEntitled, world.State.Check(SignedOperation.Sign(NodeKey.Create(), world.State.Run, Vote(world, 5, Half))));
    }

    [Fact]
    public void Values_that_are_no_rules_together_are_refused()
    {
        var world = Three(rules => rules with { ExitDelayRounds = 16, AccusationRounds = 8 });
        Assert.Equal(Rejection.WrongRules, world.Check(3, Vote(world, 5, [new(Rule.ExitDelayRounds, 7)])));
        Assert.Equal(Rejection.None, world.Check(3, Vote(world, 5, [new(Rule.ExitDelayRounds, 7), new(Rule.AccusationRounds, 7)])));
        Assert.Equal(Rejection.WrongRules, world.Check(3, Vote(world, 5, [new(Rule.DividendShare, Shares.One)])));
        // The next one is judged by what the one before will have changed.
        world.Must(3, Vote(world, 5, [new(Rule.ExitDelayRounds, 7), new(Rule.AccusationRounds, 7)]));
        world.Must(4, Vote(world, 5, [new(Rule.ExitDelayRounds, 7), new(Rule.AccusationRounds, 7)]));
        Assert.Equal(Rejection.WrongRules, world.Check(5, Vote(world, 6, [new(Rule.AccusationRounds, 8)])));
        Assert.Equal(Rejection.Late, world.Check(5, Vote(world, 5, [new(Rule.AccusationRounds, 6)])));
        Assert.Equal(Rejection.None, world.Check(5, Vote(world, 6, [new(Rule.AccusationRounds, 6)])));
    }

    [Fact]
    public void A_bond_that_would_take_a_third_its_voice_is_refused()
    {
        var world = new World(validators: 3, validatorBonds: [10, 20, 30], change: rules => rules with { SettleEvery = 50 });
        Assert.Equal(Rejection.WrongRules, world.Check(5, Vote(world, 5, [new(Rule.ValidatorBondMin, 25)])));
        world.Must(5, Vote(world, 2, [new(Rule.ValidatorBondMin, 15)]));
        world.Must(4, Vote(world, 2, [new(Rule.ValidatorBondMin, 15)]));
        world.Round();
        Assert.True(world.State.Votes(new Uid(3)));
        world.Round();
        Assert.False(world.State.Votes(new Uid(3)));
        Assert.True(world.State.Votes(new Uid(4)));
    }

    [Fact]
    public void Who_alone_keeps_a_voice_under_rules_to_come_cannot_leave()
    {
        var world = new World(validators: 3, validatorBonds: [10, 20, 30], change: rules => rules with { SettleEvery = 50 });
        world.Must(5, Vote(world, 2, [new(Rule.ValidatorBondMin, 15)]));
        world.Must(4, Vote(world, 2, [new(Rule.ValidatorBondMin, 15)]));
        world.Must(5, new Exit(new Round(0)));
        Assert.Equal(Rejection.NotEntitled, world.Check(4, new Exit(new Round(0))));
        Assert.Equal(Rejection.None, world.Check(3, new Exit(new Round(0))));
    }

    [Fact]
    public void Who_has_left_does_not_count_among_those_who_keep_their_voice()
    {
        var world = new World(validators: 2, validatorBonds: [10, 40], change: rules => rules with { SettleEvery = 50 });
        Assert.Equal(Rejection.None, world.Check(4, Vote(world, 2, [new(Rule.ValidatorBondMin, 25)])));
        world.Must(4, new Exit(new Round(0)));
        Assert.Equal(Rejection.WrongRules, world.Check(4, Vote(world, 2, [new(Rule.ValidatorBondMin, 25)])));
        Assert.Equal(Rejection.None, world.Check(4, Vote(world, 2, [new(Rule.ValidatorBondMin, 10)])));
        Assert.Equal(Rejection.None, world.Check(4, Vote(world, 2, Half)));
    }

    [Fact]
    public void What_was_voted_for_before_another_change_was_carried_counts_no_more()
    {
        var world = Three();
        RuleChange[] other = [new(Rule.FaultSlash, 0)];
        world.Must(3, Vote(world, 9, other));
        world.Must(4, Vote(world, 5, Half));
        world.Must(5, Vote(world, 5, Half));
        Assert.Equal(2, world.State.RulesVersions.Count);
        Assert.Empty(world.State.RulesProposals());
        Assert.Equal(Rejection.AlreadyThere, world.Check(3, Vote(world, 9, other)));
        world.Round();
        world.Must(3, Vote(world, 9, other));
        world.Must(4, Vote(world, 9, other));
        Assert.Equal((3, new Round(9)), (world.State.RulesVersions[2].Number, world.State.RulesVersions[2].From));
        Assert.Equal((500_000_000, 0), (world.State.RulesAt(new Round(9)).RewardPerSettlement, world.State.RulesAt(new Round(9)).FaultSlash));
    }

    [Fact]
    public void Bonds_count_as_they_are_when_a_round_opens()
    {
        // A third of the bond stands for it; then the others lose theirs.
        var world = new World(validators: 2, validatorBonds: [10, 20], change: rules => rules with { SettleEvery = 50, EquivocationSlash = Shares.One - 1 });
        world.Must(3, Vote(world, 5, Half));
        world.Must(0, Contradiction.Between(world.Sign(4, world.Base()), world.Sign(4, world.Base(1)))!);
        Assert.Single(world.State.RulesVersions);
        world.Round();
        Assert.Equal(2, world.State.RulesVersions.Count);
    }

    [Fact]
    public void A_paused_run_can_agree_on_other_rules()
    {
        var world = Three();
        world.Must(3, new VotePause(new Round(0), true));
        world.Must(4, new VotePause(new Round(0), true));
        world.Round();
        Assert.Empty(world.State.Roster);
        world.Must(3, Vote(world, 3, Half));
        world.Must(4, Vote(world, 3, Half));
        Assert.Equal(2, world.State.RulesVersions.Count);
    }

    [Fact]
    public void What_cannot_change_cannot_be_said()
    {
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [new((Rule)0, 1)])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [new((Rule)(ChangeableRule.All.Count + 1), 1)])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [new(Rule.Kappa, 0)])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [new(Rule.Kappa, 5), new(Rule.Kappa, 5)])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [new(Rule.Kappa, 5), new(Rule.FaultSlash, 5)])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(0), new Round(5), [])));
        Assert.False(OperationCodec.IsWellFormed(new VoteRules(new Round(5), new Round(5), Half)));
        Assert.All(ChangeableRule.All, (rule, i) => Assert.Equal((Rule)(i + 1), rule.Rule));
        Assert.Equal(Enum.GetValues<Rule>().Length, ChangeableRule.All.Count);
    }

    private static World Three(Func<LedgerRules, LedgerRules>? change = null) =>
        new(validators: 3, validatorBonds: [10, 10, 10], change: rules => (change ?? (same => same))(rules with { SettleEvery = 50 }));

    private static VoteRules Vote(World world, int from, RuleChange[] changes) => new(world.State.CurrentRound, new Round(from), changes);
}
