using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>With an apply delay roster and samples are fixed one round ahead.</summary>
public sealed class PlanTests
{
    [Fact]
    public void What_was_planned_is_what_is_trained_and_no_sample_is_in_two_rounds_at_a_time()
    {
        var world = Delayed();
        for (var round = 0; round < 5; round++)
        {
            var now = Pieces(world.State);
            var next = world.State.Roster.Select(entry => world.State.PlannedSamplesOf(entry.Uid)).ToList();
            Assert.Equal(24, now.Concat(next).SelectMany(piece => piece).Distinct().Count());
            Assert.Equal(next.SelectMany(piece => piece).Order(), world.State.PlannedSamples.Order());
            Play(world);
            Assert.Equal(next, Pieces(world.State));
        }

        // The first five rounds are the first five rounds' samples without a delay too.
        var undelayed = new World();
        Assert.Equal(Pieces(undelayed.State), Pieces(Delayed().State));
    }

    [Fact]
    public void Samples_that_were_not_trained_come_first_in_the_first_round_that_is_not_yet_planned()
    {
        var world = Delayed();
        var lost = world.State.SamplesOf(new Uid(1)).ToArray();
        Play(world, 1);
        Assert.DoesNotContain(lost[0], Pieces(world.State).SelectMany(piece => piece));
        Assert.Equal(lost, world.State.Roster.Select(entry => world.State.PlannedSamplesOf(entry.Uid)).Single(piece => piece.Contains(lost[0])));
        Play(world);
        Assert.Contains(Pieces(world.State), piece => piece.SequenceEqual(lost));
    }

    [Fact]
    public void An_empty_round_gives_all_its_samples_back_and_is_no_step()
    {
        var world = Delayed();
        var lost = Pieces(world.State).SelectMany(piece => piece).Order().ToList();
        var (stepsOfFirst, stepsOfSecond) = (world.State.StepsBefore(new Round(0)), world.State.StepsBefore(new Round(1)));
        Play(world, 0, 1, 2);
        Assert.Equal((0, 1), (stepsOfFirst, stepsOfSecond));
        Assert.Equal((0, 0), (world.State.StepsDone, world.State.SamplesTrained));
        Assert.Equal(12, world.State.SamplesIssued);
        Assert.Equal(lost, world.State.PlannedSamples.Order());
    }

    [Fact]
    public void A_joiner_and_one_that_declares_fewer_samples_are_planned_for_and_one_that_leaves_is_waited_for_no_more()
    {
        var world = Delayed(rules => rules with { SamplesMin = 1 });
        var late = world.State.Members.Count;
        world.NewKey();
        world.Must(late, new Register(Role.Peer, "late", Digest.Zero));
        world.Must(0, new Declare(world.State.CurrentRound, 2));
        world.Must(2, new Exit(world.State.CurrentRound));
        var left = world.State.PlannedSamplesOf(new Uid(2)).ToArray();
        Play(world);

        // Round 1 is as it was planned, but for who has left: its samples are planned for the round after.
        Assert.Equal([0, 1], world.Peers);
        Assert.Equal([4, 4], Pieces(world.State).Select(piece => piece.Count));
        Assert.Equal([0, 1, late], world.State.Members.Where(member => world.State.IsPlanned(member.Uid)).Select(member => member.Uid.Value));
        Assert.Equal(2, world.State.PlannedSamplesOf(new Uid(0)).Count);
        Assert.Empty(left.Except(world.State.PlannedSamples));
        Play(world);
        Assert.Equal([0, 1, late], world.Peers);
    }

    [Fact]
    public void Where_nobody_could_be_planned_for_a_round_is_cut_when_somebody_returns()
    {
        var world = Delayed(rules => rules with { AbsentRoundsMax = 1 });
        for (var round = 0; round < 2; round++)
        {
            while (world.State.CurrentRound.Number == round)
            {
                world.Must(3, world.State.Stage switch
                {
                    Stage.Reveal => world.Beacon(3),
                    Stage.Judge => world.Verdict(),
                    Stage.Apply => world.Base(),
                    _ => world.Timeout(),
                });
                if (world.State.Stage == Stage.Apply && world.State.CurrentRound.Number == round && world.State.BaseOf(world.State.CurrentRound, new Uid(3)) is not null)
                {
                    world.Must(3, world.Timeout());
                }
            }
        }

        Assert.Empty(world.State.Roster);
        Assert.Empty(world.State.PlannedSamples);
        world.Must(1, new Return(world.State.CurrentRound));
        Assert.Equal([1], world.Peers);
        Assert.Equal(4, world.State.PlannedSamplesOf(new Uid(1)).Count);
        Assert.Equal(24, world.State.SampleCursor);
        Play(world);
        Assert.Equal([1], world.Peers);
    }

    [Fact]
    public void A_paused_round_keeps_its_plan()
    {
        var world = Delayed();
        var planned = world.State.PlannedSamplesOf(new Uid(0)).ToArray();
        world.Must(3, new VotePause(world.State.CurrentRound, true));
        Play(world);
        Assert.Empty(world.State.Roster);
        var issued = world.State.SamplesIssued;
        world.Must(3, new VotePause(world.State.CurrentRound, false));
        Assert.Equal(planned, world.State.SamplesOf(new Uid(0)));
        Assert.Equal(issued + 12, world.State.SamplesIssued);
    }

    [Fact]
    public void Nothing_is_planned_beyond_the_last_round_and_what_the_cursor_passed_was_trained()
    {
        var world = Delayed(rules => rules with { Rounds = 4 });
        for (var round = 0; round < 4; round++)
        {
            Play(world, round == 1 ? [2] : []);
        }

        Assert.Equal(Stage.Finished, world.State.Stage);
        Assert.Empty(world.State.PlannedSamples);
        Assert.Equal(world.State.SamplesTrained + world.State.WaitingSamples.Count, world.State.SampleCursor);
        Assert.Equal(world.State.StateDigest(), world.Replay().StateDigest());
    }

    [Fact]
    public void The_delay_stands_at_the_end_of_the_genesis_and_only_where_there_is_one()
    {
        var (with, without) = (Delayed().Genesis, new World().Genesis);
        var bytes = with.ToBytes();
        Assert.Equal(without.ToBytes().Length + sizeof(int), bytes.Length);
        Assert.True(Genesis.TryRead(bytes, out var read, out _));
        Assert.Equal((1, with.Digest), (read!.Rules.ApplyDelay, read.Digest));
        foreach (var delay in new[] { 0, 2, -1 })
        {
            Assert.False(Genesis.TryRead([.. bytes.AsSpan(0, bytes.Length - 4), .. BitConverter.GetBytes(delay)], out _, out var why));
            Assert.Equal(Rejection.Malformed, why);
        }

        Assert.False(Genesis.TryRead([.. bytes, 0], out _, out _));
    }

    private static World Delayed(Func<LedgerRules, LedgerRules>? change = null) =>
        new(change: rules => (change?.Invoke(rules) ?? rules) with { ApplyDelay = 1 });

    private static void Play(World world, params int[] refused)
    {
        world.Round(refused);
        if (world.State.Stage == Stage.Settle)
        {
            world.SettleAll((0, Shares.One));
        }
    }

    private static List<IReadOnlyList<long>> Pieces(LedgerState state) => [.. state.Roster.Select(entry => state.SamplesOf(entry.Uid))];
}
