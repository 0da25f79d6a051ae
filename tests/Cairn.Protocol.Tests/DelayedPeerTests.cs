using Cairn.Base;
using Cairn.Ledger;
using Cairn.Simulation;

namespace Cairn.Protocol.Tests;

/// <summary>Rule 10 with an apply delay: what a peer does of two rounds at a time, in the fewest steps that show it.</summary>
public sealed class DelayedPeerTests
{
    private static readonly Round First = new(0);
    private static readonly Round Second = new(1);
    private static readonly Digest Right = Scene.Name("right", 0);
    private static readonly Digest Wrong = Scene.Name("wrong", 0);
    private static readonly Scenario Delayed = new() { SamplesPerPeer = 4, ApplyDelay = 1 };
    private static readonly Scenario Three = Delayed with { Validators = [MemberPlan.Honest, MemberPlan.Honest, MemberPlan.Honest] };

    [Fact]
    public void The_next_round_is_trained_as_soon_as_this_one_is_handed_over()
    {
        var scene = Scene.OfPeer(Delayed);
        HandOver(scene);
        Assert.Equal(["say commit of round 0"], scene.Tell(new Published(First, scene.OpeningOf(0))));
        scene.CommitAll(0, 1, 2);
        Assert.Equal(["say opening of round 0"], scene.Look());
    }

    [Fact]
    public void A_round_is_applied_while_the_next_is_trained_and_encoded_only_then()
    {
        var scene = Scene.OfPeer(Delayed);
        HandOver(scene);
        scene.Tell(new Published(First, scene.OpeningOf(0)));
        scene.ToApply(0, 1, 2);
        Assert.Equal(["apply round 0: 3 updates, own included"], scene.Look());
        Assert.Empty(scene.Tell(new Trained(Second, Usable: true)));
        Assert.Equal([$"say base after round 0: {Right.Short}", "encode the update of round 1"], scene.Tell(new Applied(First, Right)));
        Assert.Empty(scene.Tell(new Encoded(Second, Usable: true)));
        Agree(scene);
        Assert.Equal(["publish the update of round 1", "train round 2"], scene.Look());
    }

    [Fact]
    public void Who_is_late_with_a_round_hands_it_over_before_it_trains_the_next()
    {
        var scene = Scene.OfPeer(Delayed);
        HandOver(scene);
        scene.Tell(new Published(First, scene.OpeningOf(0)));
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Tell(new Applied(First, Right));
        Agree(scene);
        Assert.Empty(scene.Look());
        Assert.Equal(["encode the update of round 1"], scene.Tell(new Trained(Second, Usable: true)));
        Assert.Equal(["publish the update of round 1", "train round 2"], scene.Tell(new Encoded(Second, Usable: true)));
        Assert.Equal(["say commit of round 1"], scene.Tell(new Published(Second, scene.OpeningOf(0))));
    }

    [Fact]
    public void A_training_that_missed_its_round_is_given_up_for_the_next()
    {
        var scene = Scene.OfPeer(Delayed);
        Assert.Equal(["train round 0"], scene.Look());
        scene.ToJudge(1, 2);
        Assert.Equal(["train round 1"], scene.Tell(new Trained(First, Usable: true)));
    }

    [Fact]
    public void A_round_is_not_applied_before_its_own_training_has_ended()
    {
        var scene = Scene.OfPeer(Delayed);
        Assert.Equal(["train round 0"], scene.Look());
        scene.ToApply(1, 2);
        Assert.Empty(scene.Look());
        Assert.Equal(["apply round 0: 2 updates"], scene.Tell(new Trained(First, Usable: true)));
    }

    [Fact]
    public void After_a_restart_the_round_in_work_is_repeated_before_the_next()
    {
        var scene = Scene.OfPeer(Delayed);
        HandOver(scene);
        var opening = scene.OpeningOf(0);
        scene.Tell(new Published(First, opening));
        scene.ToApply(0, 1, 2);
        var again = scene.Restarted(new PeerMachine(Founding.KeyOf(0), First, Digest.Zero, applyDelay: 1).Step);
        Assert.Equal(["train round 0"], again.Tell(new Published(First, opening)));
        Assert.Equal(["encode the update of round 0"], again.Tell(new Trained(First, Usable: true)));
        Assert.Equal(["apply round 0: 3 updates, own included"], again.Tell(new Encoded(First, Usable: true)));
        Assert.Equal([$"say base after round 0: {Right.Short}", "train round 1"], again.Tell(new Applied(First, Right)));
    }

    [Fact]
    public void A_wrong_base_takes_what_was_trained_from_it_along()
    {
        var scene = Scene.OfPeer(Three);
        HandOver(scene);
        scene.Tell(new Published(First, scene.OpeningOf(0)));
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Tell(new Applied(First, Wrong));
        scene.Must(3, new PostBase(First, Right));
        scene.Must(4, new PostBase(First, Right));
        // The replica is in use until the training that is on has ended.
        Assert.Empty(scene.Look());
        Assert.Equal(["recompute round 0"], scene.Tell(new Trained(Second, Usable: true)));
        Assert.Equal([$"go back to before round 0, the quorum has {Right.Short}"], scene.Tell(new Recomputed(First, Right)));
        Assert.Equal(["train round 0"], scene.Tell(new WentBack(First)));
        Assert.Equal(["encode the update of round 0"], scene.Tell(new Trained(First, Usable: true)));
        Assert.Equal(["apply round 0: 3 updates, own included"], scene.Tell(new Encoded(First, Usable: true)));
        Assert.Equal("train round 1", scene.Tell(new Applied(First, Right))[^1]);
    }

    [Fact]
    public void What_diverged_is_not_encoded_and_the_next_round_is_trained()
    {
        var scene = Scene.OfPeer(Delayed);
        scene.Look();
        Assert.Equal(["train round 1"], scene.Tell(new Trained(First, Usable: false)));
    }

    [Fact]
    public void Who_has_no_place_in_this_round_but_one_in_the_next_trains_that_one_at_once_and_applies_this_one_meanwhile()
    {
        var (scenario, uid) = (
            from peers in Enumerable.Range(3, 6)
            let drawn = Delayed with { Peers = [.. Enumerable.Repeat(MemberPlan.Honest, peers)], PeersMax = 2 }
            let ledger = Scene.OfPeer(drawn).Ledger
            from peer in Enumerable.Range(0, peers)
            where !ledger.IsInRoster(new Uid(peer)) && ledger.IsPlanned(new Uid(peer))
            select (drawn, peer)).First();
        var scene = Scene.OfPeer(scenario, uid);
        Assert.Equal(["train round 1"], scene.Look());
        scene.ToApply([.. scene.Ledger.Roster.Select(entry => entry.Uid.Value)]);
        Assert.Equal(["apply round 0: 2 updates"], scene.Look());
        Assert.Equal([$"say base after round 0: {Right.Short}"], scene.Tell(new Applied(First, Right)));
        Agree(scene);
        Assert.Equal(["encode the update of round 1"], scene.Tell(new Trained(Second, Usable: true)));
    }

    [Fact]
    public void A_run_that_stands_still_keeps_what_was_trained_for_its_round()
    {
        var scene = Scene.OfPeer(Delayed);
        HandOver(scene);
        scene.Tell(new Published(First, scene.OpeningOf(0)));
        scene.Must(3, new VotePause(First, true));
        scene.ToApply(0, 1, 2);
        scene.Look();
        scene.Tell(new Trained(Second, Usable: true));
        Assert.Contains("encode the update of round 1", scene.Tell(new Applied(First, Right)));
        Agree(scene);
        Assert.Empty(scene.Ledger.Roster);
        // Neither published, for the round does not go on, nor given up for the one after it.
        Assert.Empty(scene.Tell(new Encoded(Second, Usable: true)));
        scene.Must(3, new VotePause(Second, false));
        Assert.Equal(["publish the update of round 1", "train round 2"], scene.Look());
    }

    private static void HandOver(Scene scene)
    {
        Assert.Equal(["train round 0"], scene.Look());
        Assert.Equal(["encode the update of round 0"], scene.Tell(new Trained(First, Usable: true)));
        Assert.Equal(["publish the update of round 0", "train round 1"], scene.Tell(new Encoded(First, Usable: true)));
    }

    // Everybody has the same base, and round 1 opens.
    private static void Agree(Scene scene)
    {
        foreach (var uid in scene.Ledger.Roster.Select(entry => entry.Uid).Concat(scene.Validators).ToArray())
        {
            scene.Must(uid, new PostBase(scene.Ledger.CurrentRound, Right));
        }
    }
}
