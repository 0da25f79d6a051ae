using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>Up to a step of the schedule rounds train on the main part of the samples, from then on on the annealing part.</summary>
public sealed class AnnealingTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Up_to_the_announced_step_all_samples_are_of_the_main_part_and_from_then_on_none_is(int applyDelay)
    {
        var world = Annealing(rules => rules with { ApplyDelay = applyDelay });
        for (var round = 0; round < 8; round++)
        {
            Assert.All(Issued(world), id => Assert.Equal(round >= 3, id >= 70));
            Assert.Equal(round >= 3 ? 70 : 0, world.State.PartOf(world.State.CurrentRound).First);
            Play(world);
        }
    }

    [Fact]
    public void A_round_without_an_update_is_no_step_and_the_annealing_begins_a_round_later()
    {
        var world = Annealing();
        Play(world);
        Play(world, 0, 1, 2);
        Play(world);
        Assert.Equal((3, 2), (world.State.CurrentRound.Number, world.State.StepsDone));
        Assert.All(Issued(world), id => Assert.True(id < 70));
        Play(world);
        Assert.All(Issued(world), id => Assert.True(id >= 70));
    }

    [Fact]
    public void With_an_apply_delay_a_round_that_was_planned_to_anneal_does_so_though_the_one_before_it_was_no_step()
    {
        var world = Annealing(rules => rules with { ApplyDelay = 1 });
        Play(world);
        Play(world);
        var lost = Issued(world);
        var planned = world.State.PlannedSamples.ToArray();
        Play(world, 0, 1, 2);
        Assert.Equal((3, 2L, 3L), (world.State.CurrentRound.Number, world.State.StepsDone, world.State.StepsBefore(world.State.CurrentRound)));
        Assert.Equal(planned.Order(), Issued(world).Order());
        Assert.All(Issued(world).Concat(world.State.PlannedSamples), id => Assert.True(id >= 70));

        // What the lost round held waits in the line of its own part, where no round takes it any more.
        Assert.Equal(lost.Order(), world.State.WaitingSamples.Order());
        Play(world);
        Assert.Equal(lost.Order(), world.State.WaitingSamples.Order());
    }

    [Fact]
    public void With_an_apply_delay_a_plan_that_lost_everybody_gives_its_annealing_samples_back_to_their_own_line()
    {
        var world = Annealing(rules => rules with { ApplyDelay = 1 }, peers: 1);
        Play(world);
        Play(world);
        var planned = world.State.PlannedSamples.ToArray();
        Assert.All(planned, id => Assert.True(id >= 70));
        world.NewKey();
        world.Must(world.State.Members.Count, new Register(Role.Peer, "late", Digest.Zero));
        world.Must(0, new Exit(world.State.CurrentRound));
        var lost = Issued(world);
        Play(world, 0);

        // Nothing was trained: cut anew, the round stands where the schedules do, before the annealing.
        Assert.Equal([2], world.Peers);
        Assert.Equal(2, world.State.StepsBefore(world.State.CurrentRound));
        Assert.Equal(lost, Issued(world));
        Assert.Equal(planned, world.State.PlannedSamples);
        Play(world);
        Assert.Equal(planned, Issued(world));
    }

    [Fact]
    public void What_waits_when_the_annealing_begins_waits_to_the_end_and_what_anneals_is_issued_again_first()
    {
        var world = Annealing();
        Play(world);
        Play(world);
        var left = world.State.SamplesOf(new Uid(1)).ToArray();
        Play(world, 1);
        Assert.Equal(left, world.State.WaitingSamples);
        var lost = world.State.SamplesOf(new Uid(2)).ToArray();
        Play(world, 2);

        // The first piece of round 4 goes to peer 2 of three: (0 + 3 - 4 % 3) % 3.
        Assert.Equal(lost, world.State.SamplesOf(new Uid(2)));
        Assert.Equal(left, world.State.WaitingSamples);
        var passed = world.State.SampleCursor;
        Assert.Equal((36, 20), (world.State.SampleCursorOf(0), world.State.SampleCursorOf(1)));
        Assert.Equal(passed, world.State.SamplesTrained + world.State.WaitingSamples.Count + Issued(world).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void In_every_epoch_of_a_part_each_of_its_samples_comes_once(int applyDelay)
    {
        // A main epoch takes 2 rounds and a half, an annealing one 2 and a quarter.
        var world = Annealing(rules => rules with { ApplyDelay = applyDelay, SampleCount = 57, AnnealSamples = 27, AnnealFrom = 10, Rounds = 19, SettleEvery = 19, PeersMax = 5 });
        List<long> main = [], annealing = [];
        for (var round = 0; round < 19; round++)
        {
            var order = Enumerable.Range(0, 3).Select(piece => (piece + 3 - (round % 3)) % 3);
            (round < 10 ? main : annealing).AddRange(order.SelectMany(place => world.State.SamplesOf(new Uid(place))));
            Play(world);
        }

        Assert.Equal((120, 108), (main.Count, annealing.Count));
        Assert.Empty(world.State.WaitingSamples);
        foreach (var epoch in main.GroupBy(id => id).Concat(annealing.GroupBy(id => id)))
        {
            Assert.Equal(4, epoch.Count());
        }

        Assert.All(main.Take(30).Order(), (id, at) => Assert.Equal(at, id));
        Assert.All(annealing.Take(27).Order(), (id, at) => Assert.Equal(30 + at, id));
        Assert.NotEqual(annealing.Take(27), annealing.Skip(27).Take(27));
    }

    [Fact]
    public void A_joiner_and_a_slow_peer_get_samples_of_the_part_of_the_round()
    {
        var world = Annealing(rules => rules with { SamplesMin = 1 });
        Play(world);
        Play(world);
        world.NewKey();
        world.Must(world.State.Members.Count, new Register(Role.Peer, "late", Digest.Zero));
        world.Must(1, new Declare(world.State.CurrentRound, 2));
        Play(world);
        Assert.Equal([0, 1, 2, 4], world.Peers);
        Assert.Equal([4, 2, 4, 4], world.Peers.Select(uid => world.State.SamplesOf(new Uid(uid)).Count));
        Assert.All(Issued(world), id => Assert.True(id >= 70));
        Assert.Equal(14, Issued(world).Distinct().Count());
    }

    [Fact]
    public void Who_replays_the_ledger_stands_at_the_same_samples()
    {
        var world = Annealing();
        for (var round = 0; round < 5; round++)
        {
            Play(world, round % 3);
            var replay = world.Replay();
            Assert.Equal(world.State.StateDigest(), replay.StateDigest());
            Assert.Equal(Issued(world), replay.Roster.SelectMany(entry => replay.SamplesOf(entry.Uid)));
        }
    }

    [Fact]
    public void A_run_without_annealing_has_the_samples_it_always_had_up_to_the_switch_of_one_that_has()
    {
        var (with, without) = (Annealing(), new World(change: rules => rules with { SampleCount = 70 }));
        for (var round = 0; round < 3; round++)
        {
            Assert.Equal(Issued(without), Issued(with));
            Play(with);
            Play(without);
        }

        Assert.NotEqual(Issued(without), Issued(with));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_annealing_stands_at_the_end_of_the_genesis_and_one_genesis_has_one_form(int applyDelay)
    {
        var genesis = Annealing(rules => rules with { ApplyDelay = applyDelay }).Genesis;
        var (bytes, plain) = (genesis.ToBytes(), new World().Genesis.ToBytes());
        Assert.Equal(plain.Length + 16, bytes.Length);
        Assert.True(Genesis.TryRead(bytes, out var read, out _));
        Assert.Equal(genesis.Rules, read!.Rules);
        Assert.Equal(genesis.Digest, read.Digest);
        (int Delay, int From, long Samples)[] bad =
            [(0, 0, 0), (1, 0, 0), (0, 3, 0), (0, 0, 30), (2, 3, 30), (-1, 3, 30), (0, -1, 30), (0, 50, 30), (0, 3, -30), (0, 3, 31), (0, 3, 71), (0, 3, long.MaxValue), (0, 3, long.MinValue)];
        foreach (var (delay, from, samples) in bad)
        {
            byte[] hostile = [.. bytes.AsSpan(0, plain.Length), .. BitConverter.GetBytes(delay), .. BitConverter.GetBytes(from), .. BitConverter.GetBytes(samples)];
            Assert.False(Genesis.TryRead(hostile, out _, out var why), $"{delay} {from} {samples}");
            Assert.Equal(Rejection.Malformed, why);
        }

        for (var cut = plain.Length; cut < bytes.Length; cut++)
        {
            // Four bytes alone are a delay.
            Assert.Equal(cut == plain.Length || (cut == plain.Length + 4 && applyDelay == 1), Genesis.TryRead(bytes.AsSpan(0, cut), out _, out _));
        }

        Assert.False(Genesis.TryRead([.. bytes, 0], out _, out _));
    }

    private static World Annealing(Func<LedgerRules, LedgerRules>? change = null, int peers = 3) => new(
        peers, change: rules => (change ?? (same => same))(rules with { SampleCount = 102, AnnealSamples = 32, AnnealFrom = 3 }));

    private static void Play(World world, params int[] refused)
    {
        world.Round(refused);
        if (world.State.Stage == Stage.Settle)
        {
            world.SettleAll((world.Peers.First(), Shares.One));
        }
    }

    private static long[] Issued(World world) => [.. world.State.Roster.SelectMany(entry => world.State.SamplesOf(entry.Uid))];
}
