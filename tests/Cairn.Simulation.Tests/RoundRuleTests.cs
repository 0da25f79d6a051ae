using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation.Tests;

/// <summary>The rules that every machine depends on (docs/flow.md), each shown by whole runs. Rules 6 and 8 are not of this room.</summary>
public sealed class RoundRuleTests
{
    private static readonly MemberPlan[] ThreeHonest = [MemberPlan.Honest, MemberPlan.Honest, MemberPlan.Honest];

    [Fact]
    public void Rule_1_An_excluded_update_leaves_nothing_behind_and_its_samples_come_first_in_the_next_round()
    {
        var world = new World(new Scenario { Peers = [MemberPlan.Honest, new MemberPlan { Conduct = "nan" }] }).Run();
        Assert.Null(world.Nodes[1].Replica.Feedback);
        Assert.NotNull(world.Nodes[0].Replica.Feedback);
        Assert.Equal([1, 1, 1, 1], Manifests(world).Select(manifest => manifest.Entries.Count));
        Assert.Contains(Probe.ExcludedUpdate, world.Reached);
        for (var round = 1; round < world.Scenario.Rounds; round++)
        {
            // What the cheat had in one round is the first piece of the next; the pieces rotate, so that others come to have it.
            Assert.Equal(
                world.Oracle.Assigned(new Round(round - 1), new Uid(1)), world.Oracle.Assigned(new Round(round), new Uid(round % 2)));
        }
    }

    [Fact]
    public void Rule_2_A_stage_ends_when_everybody_has_acted()
    {
        var world = new World(new Scenario { StageMax = 1_000_000 }).Run();
        Assert.DoesNotContain(Operations(world), said => said is Ledger.Timeout);
        Assert.True(world.Heap.Now < world.Scenario.StageMax);
    }

    [Fact]
    public void Rule_2_A_stage_in_which_somebody_is_missing_ends_by_recorded_timeouts_that_a_replay_repeats()
    {
        var world = new World(new Scenario { Peers = [MemberPlan.Honest, new MemberPlan { GoneFrom = 10, GoneTo = long.MaxValue }], Validators = ThreeHonest }).Run();
        Assert.Contains(Operations(world), said => said is Ledger.Timeout { Stage: Stage.Commit });
        Assert.Equal([1, 1, 1, 1], Manifests(world).Select(manifest => manifest.Entries.Count));
        Assert.False(world.Ledger.Head.Members[1].Active);
    }

    [Fact]
    public void Rule_3_Delays_and_the_order_of_statements_change_no_assignment_and_no_base()
    {
        var worlds = Enumerable.Range(1, 5).Select(delays => new World(new Scenario { DelaySeed = (ulong)delays, StageMax = 1_000_000 }).Run()).ToList();
        Assert.Equal(5, worlds.Select(world => world.Ledger.Head.Tip).Distinct().Count());
        Assert.Single(worlds.Select(Bases).Distinct());
        Assert.Single(worlds.Select(Assignments).Distinct());
        Assert.NotEqual(Bases(worlds[0]), Bases(new World(new Scenario { Seed = 2 }).Run()));
    }

    [Fact]
    public void Rule_4_Whoever_dies_between_signing_and_sending_says_the_same_in_its_next_life()
    {
        var reached = 0;
        foreach (var world in KilledEverywhere())
        {
            // That no node wants to say anything else for a filled slot is asserted at every statement (SimEffects).
            reached += world.Reached.Contains(Probe.KilledBetweenSigningAndSending) ? 1 : 0;
            var slots = Authors(world).Where(said => said.Slot.Length > 0).ToList();
            Assert.Equal(slots.Count, slots.Distinct().Count());
        }

        Assert.True(reached > 20, $"only {reached} deaths between signing and sending");
    }

    [Fact]
    public void Rule_5_Only_what_more_than_half_of_the_bond_accepts_is_in_the_manifest()
    {
        var odd = new MemberPlan { OddPerMille = 1000 };
        var one = new World(new Scenario { Validators = [MemberPlan.Honest, odd, MemberPlan.Honest] }).Run();
        Assert.All(Manifests(one), manifest => Assert.Equal(3, manifest.Entries.Count));
        var two = new World(new Scenario { Validators = [MemberPlan.Honest, odd, odd] }).Run();
        Assert.All(Manifests(two), manifest => Assert.True(manifest.Empty));
    }

    [Fact]
    public void Rule_5_An_empty_round_leaves_base_counter_queue_and_error_feedback_as_they_were()
    {
        var world = new World(new Scenario { Peers = [new MemberPlan { Conduct = "nan" }, new MemberPlan { Conduct = "nan" }] }).Run();
        Assert.Equal(0, world.Ledger.Head.StepsDone);
        Assert.Equal(0, world.Ledger.Head.SamplesTrained);
        Assert.All(world.Nodes, node => Assert.Equal(world.Objective.Start.Digest, node.Replica.Base));
        Assert.All(world.Nodes, node => Assert.Null(node.Replica.Feedback));
        var issued = Enumerable.Range(0, world.Scenario.Rounds).Select(
            round => string.Join(' ', Enumerable.Range(0, 2).SelectMany(uid => world.Oracle.Assigned(new Round(round), new Uid(uid))).Order()));
        Assert.Single(issued.Distinct());
    }

    [Theory]
    [InlineData(nameof(Wrong.Once), false)]
    [InlineData(nameof(Wrong.Always), true)]
    [InlineData(nameof(Wrong.Differently), true)]
    public void Rule_7_A_wrong_base_is_healed_if_computing_again_helps_and_halts_only_its_node_if_not(string how, bool halts)
    {
        var wrong = new MemberPlan { Wrong = Enum.Parse<Wrong>(how), WrongRound = 1 };
        var world = new World(new Scenario { Peers = [MemberPlan.Honest, wrong, MemberPlan.Honest], Validators = [MemberPlan.Honest, wrong, MemberPlan.Honest] }).Run();
        Assert.Equal(halts, world.Nodes[1].Halted);
        Assert.Equal(halts, world.Nodes[4].Halted);
        Assert.All(world.Nodes.Where(node => node.Plan.Wrong == Wrong.Never), node => Assert.True(node.Finished));
        Assert.Equal(!halts, world.Reached.Contains(Probe.RecomputeHealed));
    }

    [Fact]
    public void Rule_9_A_node_killed_at_any_boundary_of_any_effect_changes_no_base()
    {
        var undisturbed = Bases(new World(Quick).Run());
        foreach (var world in KilledEverywhere())
        {
            Assert.Equal(undisturbed, Bases(world));
            Assert.Equal(2, world.Nodes[world.Scenario.KillMember].Life);
        }
    }

    [Fact]
    public void Rule_9_All_nodes_may_lose_their_newest_state_again_and_again()
    {
        var scenario = Quick with { Rounds = 5, HealAt = 150_000, Faults = new FaultPlan { KillPerMille = 60, FallBackPerMille = 700 }, Validators = ThreeHonest };
        var worlds = Enumerable.Range(1, 20).Select(delays => new World(scenario with { DelaySeed = (ulong)delays }).Run()).ToList();
        Assert.Single(worlds.Select(Bases).Distinct());
        Assert.All(worlds, world => Assert.Contains(Probe.FellBackOneState, world.Reached));
    }

    [Fact]
    public void Rule_10_A_round_is_applied_before_the_next_is_trained()
    {
        var world = new World(new Scenario(), trace: true, traced: 0).Run();
        var order = world.Trace.Where(line => line.StartsWith("  train", StringComparison.Ordinal) || line.StartsWith("applied", StringComparison.Ordinal));
        Assert.Equal("train0 applied0 train1 applied1 train2 applied2 train3 applied3", string.Join(' ', order.Select(line => line.Trim().Split(' ') is var words
            ? words[0] + words[2].TrimEnd(':') : "")));
    }

    [Fact]
    public void Rule_10_With_a_delay_a_round_is_trained_before_the_one_before_it_is_applied()
    {
        var world = new World(new Scenario { ApplyDelay = 1 }, trace: true, traced: 0).Run();
        var order = world.Trace.Where(line => line.StartsWith("  train", StringComparison.Ordinal) || line.StartsWith("  encode", StringComparison.Ordinal)
            || line.StartsWith("applied", StringComparison.Ordinal)).Select(line => line.Trim().Split(' ') is var words ? words[0] + words.Last(word => word.TrimEnd(':').All(char.IsDigit)).TrimEnd(':') : "");
        Assert.Equal("train0 encode0 train1 applied0 encode1 train2 applied1 encode2 train3 applied2 encode3 applied3", string.Join(' ', order));

        // Where the training takes longer than the round before needs to close, that one is applied beside it.
        var slow = new World(new Scenario { ApplyDelay = 1, Peers = [MemberPlan.Honest, new MemberPlan { Slowness = 6 }], StageMax = 1_000_000 }).Run();
        Assert.Contains(Probe.AppliedWhileTraining, slow.Reached);
        Assert.All(Manifests(slow), manifest => Assert.Equal(2, manifest.Entries.Count));
    }

    [Fact]
    public void Rule_10_With_a_delay_no_delay_of_the_network_and_no_death_changes_a_base_and_a_sample_comes_back_two_rounds_later()
    {
        var delayed = Enumerable.Range(1, 5).Select(delays => new World(new Scenario { ApplyDelay = 1, DelaySeed = (ulong)delays, StageMax = 1_000_000 }).Run()).ToList();
        Assert.Single(delayed.Select(Bases).Distinct());
        Assert.NotEqual(Bases(new World(new Scenario { StageMax = 1_000_000 }).Run()), Bases(delayed[0]));
        var undisturbed = Bases(new World(Quick with { ApplyDelay = 1, Rounds = 3 }).Run());
        foreach (var world in KilledEverywhere(Quick with { ApplyDelay = 1, Rounds = 3 }))
        {
            Assert.Equal(undisturbed, Bases(world));
        }

        var refused = new World(new Scenario { ApplyDelay = 1, Peers = [MemberPlan.Honest, new MemberPlan { Conduct = "nan" }] }).Run();
        for (var round = 2; round < refused.Scenario.Rounds; round++)
        {
            Assert.Equal(
                refused.Oracle.Assigned(new Round(round - 2), new Uid(1)), refused.Oracle.Assigned(new Round(round), new Uid(round % 2)));
        }
    }

    // Nobody is ever late, so that nothing but the deaths themselves can change anything.
    private static Scenario Quick => new() { Rounds = 2, StageMax = 10_000_000 };

    private static IEnumerable<World> KilledEverywhere(Scenario? scenario = null)
    {
        var quick = scenario ?? Quick;
        var undisturbed = new World(quick).Run();
        foreach (var node in undisturbed.Nodes)
        {
            for (var boundary = 1; boundary <= node.Boundaries; boundary++)
            {
                yield return new World(quick with { KillMember = node.Member, KillBoundary = boundary }).Run();
            }
        }
    }

    private static IEnumerable<Manifest> Manifests(World world) =>
        Enumerable.Range(0, world.Scenario.Rounds).Select(round => world.Ledger.Head.ManifestOf(new Round(round))!);

    private static IEnumerable<Operation> Operations(World world) => world.Ledger.Blocks.SelectMany(block => block.Operations).Select(signed => signed.Operation);

    private static IEnumerable<(PublicKey Author, string Slot)> Authors(World world) =>
        world.Ledger.Blocks.SelectMany(block => block.Operations).Select(signed => (signed.Author, Words.Slot(signed.Operation)));

    private static string Bases(World world) =>
        string.Join(' ', Enumerable.Range(0, world.Scenario.Rounds + 1).Select(round => world.Oracle.BaseBefore(new Round(round)).Digest.Short));

    private static string Assignments(World world) => string.Join('|', Enumerable.Range(0, world.Scenario.Rounds).SelectMany(
        round => Enumerable.Range(0, world.Scenario.Peers.Count).Select(uid => string.Join(' ', world.Oracle.Assigned(new Round(round), new Uid(uid))))));
}
