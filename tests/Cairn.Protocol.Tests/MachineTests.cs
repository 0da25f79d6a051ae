using Cairn.Base;
using Cairn.Ledger;
using Cairn.Simulation;

namespace Cairn.Protocol.Tests;

/// <summary>Single claims about the two machines, each in the fewest steps that show it.</summary>
public sealed class MachineTests
{
    private static readonly Round First = new(0);
    private static readonly Digest Right = Scene.Name("right", 0);
    private static readonly Digest Wrong = Scene.Name("wrong", 0);
    private static readonly Scenario Usual = new() { SamplesPerPeer = 4 };
    private static readonly Scenario Three = Usual with { Validators = [MemberPlan.Honest, MemberPlan.Honest, MemberPlan.Honest] };

    [Fact]
    public void A_restarted_validator_asks_for_the_timer_of_the_stage_in_progress_again()
    {
        var scene = Scene.OfValidator(Usual);
        Assert.Equal(["arm the deadline: Commit of round 0"], scene.Look());
        Assert.Empty(scene.Look());
        var machine = new ValidatorMachine(Founding.KeyOf(3), First, Digest.Zero, evaluates: false);
        Assert.Equal(["arm the deadline: Commit of round 0"], scene.Restarted(machine.Step).Look());
    }

    [Fact]
    public void A_deadline_that_passes_twice_is_said_once()
    {
        var scene = Scene.OfValidator(Usual);
        scene.Look();
        Assert.Equal(["say timeout of Commit of round 0"], scene.Tell(new DeadlinePassed(First, Stage.Commit)));
        Assert.Empty(scene.Tell(new DeadlinePassed(First, Stage.Commit)));
        Assert.Empty(scene.Look());
    }

    [Fact]
    public void The_deadline_of_a_stage_that_has_ended_says_nothing()
    {
        var scene = Scene.OfValidator(Usual);
        scene.Look();
        scene.CommitAll(0, 1, 2);
        Assert.Equal(["arm the deadline: Reveal of round 0"], scene.Look());
        Assert.Empty(scene.Tell(new DeadlinePassed(First, Stage.Commit)));
    }

    [Fact]
    public void A_validator_reveals_its_part_of_the_beacon_once_every_commit_is_opened()
    {
        var scene = Scene.OfValidator(Three);
        scene.CommitAll(0, 1, 2);
        Assert.Equal(["arm the deadline: Reveal of round 0"], scene.Look());
        scene.RevealAll(0, 1);
        Assert.Empty(scene.Look());
        scene.RevealAll(2);
        Assert.Equal(["say the beacon of round 0"], scene.Look());
        // Only a validator can be late now.
        Assert.Equal(["say timeout of Reveal of round 0"], scene.Tell(new DeadlinePassed(First, Stage.Reveal)));
    }

    [Fact]
    public void Where_somebody_does_not_open_validators_reveal_when_the_time_has_passed_and_leave_each_other_some_more()
    {
        var scene = Scene.OfValidator(Three);
        scene.CommitAll(0, 1, 2);
        scene.Look();
        scene.RevealAll(0, 1);
        Assert.Empty(scene.Look());
        Assert.Equal(["say the beacon of round 0", "arm the deadline again: Reveal of round 0"], scene.Tell(new DeadlinePassed(First, Stage.Reveal)));
        Assert.Empty(scene.Look());
        Assert.Equal(["say timeout of Reveal of round 0"], scene.Tell(new DeadlinePassed(First, Stage.Reveal)));
    }

    [Fact]
    public void Once_all_parts_of_the_beacon_are_there_who_does_not_open_is_late_at_once()
    {
        var scene = Scene.OfValidator(Three);
        scene.CommitAll(0, 1, 2);
        scene.Look();
        scene.RevealAll(0, 1);
        scene.Tell(new DeadlinePassed(First, Stage.Reveal));
        scene.BeaconAll();
        Assert.Equal(["say timeout of Reveal of round 0"], scene.Look());
    }

    [Fact]
    public void A_validator_that_is_itself_waited_for_calls_nobody_late()
    {
        var scene = Scene.OfValidator(Usual);
        scene.Look();
        scene.ToJudge(0, 1, 2);
        Assert.Equal(["arm the deadline: Judge of round 0", "judge round 0"], scene.Look());
        Assert.Empty(scene.Tell(new DeadlinePassed(First, Stage.Judge)));
        Assert.Equal(
            ["say verdict of round 0: 0 None 4, 1 None 4, 2 None 4", "say timeout of Judge of round 0"], scene.Tell(new Judged(First, scene.AcceptAll())));
    }

    [Fact]
    public void A_run_that_waits_for_peers_is_not_late_and_is_watched_again_when_one_returns()
    {
        var scene = Scene.OfValidator(Usual with { Peers = [MemberPlan.Honest], AbsentRoundsMax = 1 });
        scene.Look();
        scene.TimeOutUntil(Stage.Apply);
        Assert.Equal(["arm the deadline: Apply of round 0", "apply round 0: 0 updates"], scene.Look());
        scene.TimeOut();
        Assert.Empty(scene.Ledger.Roster);
        scene.Tell(new Applied(First, Scene.InitialBase));
        Assert.Empty(scene.Tell(new DeadlinePassed(First.Next, Stage.Commit)));
        scene.Must(0, new Return(First.Next));
        Assert.Equal(["arm the deadline: Commit of round 1"], scene.Look());
    }

    [Fact]
    public void A_judgement_in_progress_keeps_the_base_as_it_is()
    {
        var scene = Scene.OfValidator(Three);
        scene.Look();
        scene.ToJudge(0, 1, 2);
        Assert.Contains("judge round 0", scene.Look());
        scene.TimeOut();
        Assert.Equal(["arm the deadline: Apply of round 0"], scene.Look());
        Assert.Equal(["apply round 0: 0 updates"], scene.Tell(new Judged(First, scene.AcceptAll())));
    }

    [Fact]
    public void A_settlement_in_progress_keeps_the_base_as_it_is()
    {
        var scene = Scene.OfValidator(Three with { SettleEvery = 1 });
        scene.Look();
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Tell(new Applied(First, Right));
        scene.Must(3, new PostBase(First, Right));
        scene.Must(4, new PostBase(First, Right));
        scene.TimeOut();
        Assert.Equal(["arm the deadline: Settle of round 0", "prepare the settlement of round 0"], scene.Look());
        scene.TimeOut();
        scene.ToApply(0, 1, 2);
        Assert.DoesNotContain(scene.Look(), said => said.StartsWith("apply", StringComparison.Ordinal));
        Assert.Equal(
            ["apply round 1: 3 updates"], scene.Tell(new SharesReady(First, new PostShares(First, [], Digest.Zero))));
    }

    [Fact]
    public void Who_cannot_have_what_a_round_needs_asks_again_until_it_can_and_posts_nothing_before()
    {
        foreach (var scene in new[] { Scene.OfPeer(Usual, uid: 2), Scene.OfValidator(Usual) })
        {
            scene.Look();
            scene.Tell(new Trained(First, Usable: false));
            scene.TimeOutUntil(Stage.Apply);
            Assert.Contains("apply round 0: 0 updates", scene.Look());
            Assert.Empty(scene.Look());
            Assert.Equal(["apply round 0: 0 updates"], scene.Tell(new CouldNotApply(First)));
            Assert.Equal(["apply round 0: 0 updates"], scene.Tell(new CouldNotApply(First)));
            Assert.Contains(scene.Tell(new Applied(First, Right)), asked => asked.Contains("say base after round 0", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_base_that_the_quorum_refutes_is_computed_again_before_it_is_posted()
    {
        var scene = Scene.OfPeer(Three);
        TrainAndPublish(scene);
        scene.ToApply(0, 1, 2);
        Assert.Equal(["apply round 0: 3 updates, own included"], scene.Look());
        scene.Must(3, new PostBase(First, Right));
        scene.Must(4, new PostBase(First, Right));
        Assert.Equal(["recompute round 0"], scene.Tell(new Applied(First, Wrong)));
        Assert.Equal([$"go back to before round 0, the quorum has {Right.Short}"], scene.Tell(new Recomputed(First, Right)));
        Assert.Equal(["train round 0"], scene.Tell(new WentBack(First)));
        Assert.Equal(["apply round 0: 3 updates, own included"], scene.Tell(new Trained(First, Usable: true)));
        Assert.Equal([$"say base after round 0: {Right.Short}"], scene.Tell(new Applied(First, Right)));
    }

    [Fact]
    public void A_base_is_posted_when_it_is_asked_for_even_by_one_that_was_ahead_of_the_ledger()
    {
        // A ledger that lost its last blocks stands before the close of a round that this validator has applied.
        var scene = Scene.OfValidator(Usual);
        scene.ToJudge(0, 1, 2);
        var machine = new ValidatorMachine(Founding.KeyOf(3), First.Next, Right, evaluates: false);
        var ahead = scene.Restarted(machine.Step);
        Assert.Equal(["arm the deadline: Judge of round 0", "judge round 0"], ahead.Look());
        scene.Must(3, scene.AcceptAll());
        Assert.Equal([$"say base after round 0: {Right.Short}", "arm the deadline: Apply of round 0"], ahead.Look());
    }

    [Fact]
    public void The_same_wrong_base_twice_halts_and_a_halted_machine_asks_for_nothing_more()
    {
        var scene = Wronged();
        Assert.Equal([$"halt after round 0: own {Wrong.Short}, quorum {Right.Short}"], scene.Tell(new Recomputed(First, Wrong)));
        Assert.Empty(scene.Look());
        scene.TimeOut();
        Assert.Empty(scene.Look());
    }

    [Fact]
    public void A_wrong_base_is_said_before_its_node_halts_so_that_nobody_waits_for_it()
    {
        var scene = Scene.OfPeer(Three);
        TrainAndPublish(scene);
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Must(3, new PostBase(First, Right));
        scene.Must(4, new PostBase(First, Right));
        scene.Tell(new Applied(First, Wrong));
        Assert.Equal(
            [$"say base after round 0: {Wrong.Short}", $"halt after round 0: own {Wrong.Short}, quorum {Right.Short}"], scene.Tell(new Recomputed(First, Wrong)));
    }

    [Fact]
    public void A_replica_that_computes_something_else_each_time_halts_too()
    {
        var scene = Wronged();
        scene.Tell(new Recomputed(First, Scene.Name("wrong", 1)));
        scene.Tell(new WentBack(First));
        scene.Tell(new Trained(First, Usable: true));
        Assert.Equal(["recompute round 0"], scene.Tell(new Applied(First, Scene.Name("wrong", 2))));
        Assert.Equal([$"halt after round 0: own {Scene.Name("wrong", 2).Short}, quorum {Right.Short}"], scene.Tell(new Recomputed(First, Scene.Name("wrong", 3))));
    }

    [Fact]
    public void Where_a_round_ends_without_a_quorum_and_bases_differ_each_computes_its_own_again()
    {
        var scene = Scene.OfValidator(Three);
        scene.Look();
        scene.ToApply(0, 1, 2);
        scene.Look();
        Assert.Equal([$"say base after round 0: {Wrong.Short}"], scene.Tell(new Applied(First, Wrong)));
        scene.Must(3, new PostBase(First, Wrong));
        scene.Must(4, new PostBase(First, Right));
        Assert.Empty(scene.Look());
        scene.TimeOut();
        Assert.Equal(["recompute round 0", "arm the deadline: Commit of round 1"], scene.Look());
        Assert.Equal([$"go back to before round 0, the quorum has {Right.Short}"], scene.Tell(new Recomputed(First, Right)));
        Assert.Equal(["apply round 0: 3 updates"], scene.Tell(new WentBack(First)));
        Assert.Equal(["recompute round 0"], scene.Tell(new Applied(First, Wrong)));
        Assert.Empty(scene.Tell(new Recomputed(First, Wrong)));
    }

    [Fact]
    public void A_validator_without_bond_keeps_nobody_computing()
    {
        var scene = Scene.OfValidator(Three);
        scene.Look();
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Tell(new Applied(First, Wrong));
        scene.Must(3, new PostBase(First, Wrong));
        scene.MustAsStranger(new Register(Role.Validator, "loud", Right));
        scene.MustAsStranger(new PostBase(First, Right));
        foreach (var uid in (int[])[3, 4, 5])
        {
            if (scene.Ledger.CurrentRound == First)
            {
                scene.Must(uid, new Ledger.Timeout(First, Stage.Apply));
            }
        }

        Assert.Equal(First.Next, scene.Ledger.CurrentRound);
        Assert.Equal(["arm the deadline: Commit of round 1"], scene.Look());
    }

    [Fact]
    public void A_dropped_validator_asks_to_be_waited_for_again()
    {
        var scene = Scene.OfValidator(Three with { AbsentRoundsMax = 1 });
        scene.TimeOutUntil(Stage.Apply);
        scene.TimeOut();
        scene.Look();
        Assert.Contains("say return in round 1", scene.Tell(new Applied(First, Scene.InitialBase)));
        Assert.Empty(scene.Look());
    }

    [Fact]
    public void A_peer_outside_the_roster_trains_nothing_but_applies()
    {
        var scenario = Usual with { PeersMax = 2 };
        var left = Enumerable.Range(0, 3).Except(Scene.OfPeer(scenario).Ledger.Roster.Select(entry => entry.Uid.Value)).Single();
        var scene = Scene.OfPeer(scenario, left);
        Assert.Empty(scene.Look());
        scene.ToApply([.. scene.Ledger.Roster.Select(entry => entry.Uid.Value)]);
        Assert.Equal(["apply round 0: 2 updates"], scene.Look());
        Assert.Equal([$"say base after round 0: {Right.Short}"], scene.Tell(new Applied(First, Right)));
    }

    [Fact]
    public void Who_is_not_registered_does_nothing()
    {
        Assert.Empty(Scene.OfPeer(Usual, uid: 17).Look());
    }

    [Fact]
    public void A_training_that_diverged_is_not_sent()
    {
        var scene = Scene.OfPeer(Usual);
        Assert.Equal(["train round 0"], scene.Look());
        Assert.Empty(scene.Tell(new Trained(First, Usable: false)));
        scene.ToApply(1, 2);
        Assert.Equal(["apply round 0: 2 updates"], scene.Look());
    }

    [Fact]
    public void An_opening_of_a_later_round_that_was_kept_is_not_made_anew()
    {
        var scene = Scene.OfPeer(Usual);
        var kept = scene.OpeningOf(0);
        Assert.Equal(["train round 0"], scene.Tell(new Published(First.Next, kept)));
        scene.Tell(new Trained(First, Usable: true));
        scene.ToApply(1, 2);
        scene.Look();
        scene.Must(1, new PostBase(First, Right));
        scene.Must(2, new PostBase(First, Right));
        scene.Must(3, new PostBase(First, Right));
        Assert.Equal(["train round 1"], scene.Tell(new Applied(First, Right)));
        Assert.Equal(["say commit of round 1"], scene.Tell(new Trained(First.Next, Usable: true)));
    }

    private static void TrainAndPublish(Scene scene)
    {
        Assert.Equal(["train round 0"], scene.Look());
        Assert.Equal(["publish the update of round 0"], scene.Tell(new Trained(First, Usable: true)));
        Assert.Equal(["say commit of round 0"], scene.Tell(new Published(First, scene.OpeningOf(0))));
    }

    // A peer that has just learned that the quorum has another base.
    private static Scene Wronged()
    {
        var scene = Scene.OfPeer(Three);
        TrainAndPublish(scene);
        scene.ToApply(0, 1, 2);
        scene.Look();
        Assert.Equal([$"say base after round 0: {Wrong.Short}"], scene.Tell(new Applied(First, Wrong)));
        scene.Must(0, new PostBase(First, Wrong));
        scene.Must(3, new PostBase(First, Right));
        scene.Must(4, new PostBase(First, Right));
        Assert.Equal(["recompute round 0"], scene.Look());
        return scene;
    }
}
