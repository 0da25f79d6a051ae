using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>What happens to those who contradict themselves, are found at fault, leave, or stop the run.</summary>
public sealed class DisciplineTests
{
    private static Accuse Accusation(World world, int uid, Operation one, Operation other)
    {
        var accuse = Contradiction.Between(world.Sign(uid, one), world.Sign(uid, other));
        Assert.NotNull(accuse);
        return accuse;
    }

    private static Accuse TwoCommits(World world, int uid) =>
        Accusation(world, uid, world.Commit(uid), new Commit(world.State.CurrentRound, World.Named("other", uid)));

    private static long Wealth(LedgerState state) =>
        state.Members.Sum(member => member.Bond + member.Reward) + state.Burned + state.AuditFund - state.Minted;

    [Fact]
    public void Who_contradicts_himself_loses_a_part_of_his_bond_which_nobody_gains()
    {
        var world = new World(peerBond: 100);
        var wealth = Wealth(world.State);
        world.Must(1, TwoCommits(world, 0));
        Assert.Equal((90L, 100L), (world.State.Members[0].Bond, world.State.Members[1].Bond));
        Assert.Equal((10L, 0L), (world.State.Burned, world.State.Members[1].Reward));
        var slash = Assert.Single(world.State.Slashes);
        Assert.Equal((new Uid(0), Rejection.Equivocation, 10L), (slash.Uid, slash.Reason, slash.Amount));
        Assert.Equal(wealth, Wealth(world.State));
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void One_contradiction_is_punished_once_whoever_proves_it_and_however()
    {
        var world = new World();
        world.Must(1, TwoCommits(world, 0));
        Assert.Equal(Rejection.AlreadyThere, world.Check(2, TwoCommits(world, 0)));
        var third = Accusation(world, 0, world.Commit(0), new Commit(world.State.CurrentRound, World.Named("third", 0)));
        Assert.Equal(Rejection.AlreadyThere, world.Check(2, third));
        world.Must(2, Accusation(world, 0, world.Base(), world.Base(1)));
        Assert.Equal(2, world.State.Slashes.Count);
        Assert.Equal(81, world.State.Members[0].Bond);
    }

    [Fact]
    public void A_forged_contradiction_is_refused()
    {
        var world = new World();
        var (honest, forged) = (world.Sign(0, world.Commit(0)), world.Sign(0, new Commit(new Round(0), World.Named("other", 0))));
        var bytes = forged.ToBytes();
        bytes[70] ^= 1;
        Assert.True(SignedOperation.TryRead(bytes, out var changed, out _));
        Assert.Equal(Rejection.BadSignature, world.Check(1, Contradiction.Between(honest, changed!)!));
        Assert.Empty(world.State.Slashes);
    }

    [Fact]
    public void Statements_that_do_not_contradict_each_other_are_no_accusation()
    {
        var world = new World();
        var commit = world.Sign(0, world.Commit(0));
        Assert.Null(Contradiction.Between(commit, world.Sign(0, world.Commit(0))));
        Assert.Null(Contradiction.Between(commit, world.Sign(1, world.Commit(1))));
        Assert.Null(Contradiction.Between(commit, world.Sign(0, world.Base())));
        Assert.Null(Contradiction.Between(commit, world.Sign(0, new Commit(new Round(1), World.Named("other", 0)))));
        Assert.Null(Contradiction.Between(world.Sign(0, new Return(new Round(0))), world.Sign(0, new Return(new Round(1)))));
        Assert.False(OperationCodec.IsWellFormed(new Accuse(commit, commit)));
    }

    [Fact]
    public void An_accusation_reads_back_as_it_was_written_in_one_order_only_and_never_holds_another()
    {
        var world = new World();
        var accuse = TwoCommits(world, 0);
        var bytes = OperationCodec.ToBytes(accuse);
        Assert.True(OperationCodec.TryRead(bytes, out var read, out _));
        Assert.Equal(bytes, OperationCodec.ToBytes(read!));
        Assert.False(OperationCodec.IsWellFormed(new Accuse(accuse.Second, accuse.First)));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(OperationCodec.TryRead(bytes.AsSpan(0, length), out _, out _));
        }

        // An accusation put in the place of the first statement.
        var nested = world.Sign(0, accuse).ToBytes();
        byte[] deep = [10, .. BitConverter.GetBytes(nested.Length), .. nested, .. BitConverter.GetBytes(nested.Length), .. nested];
        Assert.False(OperationCodec.TryRead(deep, out _, out var why));
        Assert.Equal(Rejection.Malformed, why);
    }

    [Fact]
    public void What_was_said_too_long_ago_is_not_held_against_anybody()
    {
        var world = new World(change: rules => rules with { AccusationRounds = 1, SettleEvery = 50 });
        var old = TwoCommits(world, 0);
        world.Round();
        Assert.Equal(Rejection.None, world.Check(1, old));
        world.Round();
        Assert.Equal(Rejection.Late, world.Check(1, old));
    }

    [Fact]
    public void A_vote_to_cut_needs_two_thirds_on_the_same_evidence_and_counts_once()
    {
        var world = new World(validators: 3, validatorBonds: [10, 10, 10]);
        var (a, b) = (World.Named("evidence", 1), World.Named("evidence", 2));
        world.Must(3, new VoteSlash(new Round(0), new Uid(0), Rejection.WrongSamples, a));
        world.Must(4, new VoteSlash(new Round(0), new Uid(0), Rejection.WrongSamples, b));
        Assert.Empty(world.State.Slashes);
        Assert.Equal(Rejection.Equivocation, world.Check(4, new VoteSlash(new Round(0), new Uid(0), Rejection.WrongSamples, a)));
        Assert.Equal(Rejection.NotEntitled, world.Check(1, new VoteSlash(new Round(0), new Uid(0), Rejection.WrongSamples, a)));
        world.Must(5, new VoteSlash(new Round(0), new Uid(0), Rejection.WrongSamples, a));
        Assert.Equal(50, world.State.Members[0].Bond);
        Assert.Equal(50, world.State.Burned);

        world.Round();
        Assert.Equal(Rejection.AlreadyThere, world.Check(4, new VoteSlash(new Round(1), new Uid(0), Rejection.WrongSamples, a)));
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void A_vote_that_is_not_carried_in_its_round_lapses()
    {
        var world = new World(validators: 3, validatorBonds: [10, 10, 10]);
        var evidence = World.Named("evidence", 1);
        world.Must(3, new VoteSlash(new Round(0), new Uid(0), Rejection.Harmful, evidence));
        world.Round();
        world.Must(4, new VoteSlash(new Round(1), new Uid(0), Rejection.Harmful, evidence));
        Assert.Empty(world.State.Slashes);
    }

    [Fact]
    public void Who_leaves_is_in_no_later_roster_and_gets_its_bond_when_the_delay_is_over()
    {
        var world = new World(change: rules => rules with { ExitDelayRounds = 2, AccusationRounds = 2, SettleEvery = 50 });
        world.Must(0, new Exit(new Round(0)));
        Assert.Equal(Rejection.AlreadyThere, world.Check(0, new Exit(new Round(0))));
        Assert.Contains(0, world.Peers);
        var accusation = TwoCommits(world, 0);
        world.Round();
        Assert.Equal([1, 2], world.Peers);
        Assert.Equal(Rejection.NotEntitled, world.Check(0, new Return(new Round(1))));
        world.Must(1, accusation);
        world.Round();
        Assert.Equal((90L, 0L), (world.State.Members[0].Bond, world.State.Members[0].Reward));
        world.Round();
        Assert.Equal((0L, 90L), (world.State.Members[0].Bond, world.State.Members[0].Reward));
    }

    [Fact]
    public void The_last_validator_cannot_leave_and_one_that_left_has_no_voice()
    {
        var world = new World(validators: 2, validatorBonds: [10, 10], change: rules => rules with { SettleEvery = 50 });
        world.Must(3, new Exit(new Round(0)));
        Assert.Equal(Rejection.NotEntitled, world.Check(4, new Exit(new Round(0))));
        world.Round();
        Assert.Equal(Rejection.NotEntitled, world.Check(3, world.Timeout()));
        world.CommitAll();
        world.RevealAllBut(3);
        world.Must(4, world.Verdict());
        Assert.Equal(Stage.Apply, world.State.Stage);
    }

    [Fact]
    public void A_paused_run_ends_its_round_opens_no_other_and_goes_on_where_it_was()
    {
        var world = new World(validators: 3, validatorBonds: [10, 10, 10], change: rules => rules with { SettleEvery = 50 });
        world.Must(3, new VotePause(new Round(0), true));
        Assert.False(world.State.Paused);
        Assert.Equal(Rejection.NotEntitled, world.Check(0, new VotePause(new Round(0), true)));
        world.Must(4, new VotePause(new Round(0), true));
        Assert.True(world.State.Paused);
        Assert.Equal(Rejection.AlreadyThere, world.Check(5, new VotePause(new Round(0), true)));
        world.Round();
        Assert.Equal((new Round(1), Stage.Commit, 0), (world.State.CurrentRound, world.State.Stage, world.State.Roster.Count));
        Assert.Equal(Rejection.OutOfTurn, world.Check(3, world.Timeout()));
        Assert.Equal(Rejection.NotEntitled, world.Check(0, world.Commit(0)));
        var samples = world.State.SamplesIssued;
        world.NewKey();
        world.Must(6, new Register(Role.Peer, "late", Digest.Zero));
        Assert.Empty(world.State.Roster);

        world.Must(3, new VotePause(new Round(1), false));
        world.Must(4, new VotePause(new Round(1), false));
        Assert.Equal([0, 1, 2, 6], world.Peers);
        Assert.Equal(samples + (4 * world.Rules.SamplesPerPeer), world.State.SamplesIssued);
        world.Round();
        Assert.Equal(new Round(2), world.State.CurrentRound);
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void A_run_that_waits_for_peers_cannot_be_paused_for_ever()
    {
        var world = new World(peers: 0, validators: 1);
        Assert.Empty(world.Peers);
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, new VotePause(new Round(0), true)));
    }

    [Fact]
    public void Who_has_no_bond_to_lose_cannot_fill_the_ledger_with_proofs_against_itself()
    {
        var world = new World(peerBond: 0);
        Assert.Equal(Rejection.NotEntitled, world.Check(0, TwoCommits(world, 0)));
    }

    [Fact]
    public void Who_leaves_a_paused_run_is_not_counted_on_when_the_rest_lets_it_go_on()
    {
        var world = new World(validators: 3, validatorBonds: [10, 10, 10], change: rules => rules with { SettleEvery = 50 });
        world.Must(3, new VotePause(new Round(0), true));
        world.Must(4, new VotePause(new Round(0), true));
        world.Round();
        world.Must(3, new Exit(new Round(1)));
        world.Must(4, new Exit(new Round(1)));
        Assert.False(world.State.Votes(new Uid(3)));
        world.Must(5, new VotePause(new Round(1), false));
        Assert.False(world.State.Paused);
        Assert.Equal([0, 1, 2], world.Peers);
    }

    [Fact]
    public void Who_leaves_a_waiting_run_takes_no_vote_of_others_with_it()
    {
        var world = new World(validators: 3, validatorBonds: [10, 10, 10], change: rules => rules with { SettleEvery = 50 });
        world.Must(3, new VotePause(new Round(0), true));
        world.Must(4, new VotePause(new Round(0), true));
        world.Round();
        world.Must(3, new VoteSlash(new Round(1), new Uid(1), Rejection.BadSignature, World.Named("evidence", 1)));
        world.Must(3, new VotePause(new Round(1), false));
        world.Must(0, new Exit(new Round(1)));
        Assert.Equal(Rejection.AlreadyThere, world.Check(3, new VotePause(new Round(1), false)));
        Assert.Equal(Rejection.Equivocation, world.Check(3, new VoteSlash(new Round(1), new Uid(1), Rejection.BadSignature, World.Named("evidence", 2))));
        world.Must(4, new VotePause(new Round(1), false));
        Assert.False(world.State.Paused);
        world.Must(4, new VoteSlash(new Round(1), new Uid(1), Rejection.BadSignature, World.Named("evidence", 1)));
        Assert.Single(world.State.Slashes);
    }

    [Fact]
    public void Who_left_is_paid_out_with_the_last_round_at_the_latest()
    {
        var world = new World(change: rules => rules with { Rounds = 2, SettleEvery = 50 });
        world.Must(0, new Exit(new Round(0)));
        world.Round();
        world.Round();
        world.SettleAll();
        Assert.Equal(Stage.Finished, world.State.Stage);
        Assert.Equal((0L, 100L), (world.State.Members[0].Bond, world.State.Members[0].Reward));
    }

    [Fact]
    public void Without_any_validators_voice_the_run_waits_and_does_not_race_through_empty_rounds()
    {
        var world = new World(validatorBonds: [10], change: rules => rules with { EquivocationSlash = Shares.One, SettleEvery = 50, ValidatorBondMin = 5 });
        world.Must(0, Accusation(world, 3, world.Base(), world.Base(1)));
        Assert.Equal(0, world.State.Members[3].Bond);
        world.Round();
        Assert.Equal((new Round(1), Stage.Commit, 0), (world.State.CurrentRound, world.State.Stage, world.State.Roster.Count));
    }
}
