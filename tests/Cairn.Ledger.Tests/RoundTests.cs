using Cairn.Base;

namespace Cairn.Ledger.Tests;

public sealed class RoundTests
{
    [Fact]
    public void A_round_goes_through_its_stages_as_soon_as_everybody_has_acted()
    {
        var world = new World(peers: 2, validators: 1);
        var state = world.State;
        Assert.Equal((new Round(0), Stage.Commit), (state.CurrentRound, state.Stage));

        world.Must(1, world.Commit(1));
        Assert.Equal(Stage.Commit, state.Stage);
        world.Must(0, world.Commit(0));
        Assert.Equal(Stage.Reveal, state.Stage);
        Assert.Equal((1, 0, -1), (state.CommitOrder(new Uid(0)), state.CommitOrder(new Uid(1)), state.CommitOrder(new Uid(2))));

        world.RevealAll();
        Assert.Equal(Stage.Judge, state.Stage);
        Assert.Null(state.ManifestOf(new Round(0)));
        world.JudgeAll();
        Assert.Equal(Stage.Apply, state.Stage);
        Assert.Equal([0, 1], state.ManifestOf(new Round(0))!.Entries.Select(entry => entry.Uid.Value));
        world.PostAllBases();
        Assert.Equal((new Round(1), Stage.Commit), (state.CurrentRound, state.Stage));
        Assert.Equal(World.Named("base", 0), state.QuorumBase(new Round(0)));
        Assert.Equal(World.Named("base", 0), state.BaseOf(new Round(0), new Uid(1)));
        Assert.Null(state.BaseOf(new Round(1), new Uid(1)));
        Assert.Equal((1L, 8L, 16L), (state.StepsDone, state.SamplesTrained, state.SamplesIssued));
    }

    [Fact]
    public void A_manifest_entry_is_what_its_peer_opened()
    {
        var world = new World(peers: 1);
        var opening = world.Opening(0);
        world.CommitAll();
        world.RevealAll();
        Assert.Equal(opening, world.State.OpeningOf(new Uid(0)));
        world.JudgeAll();
        var entry = Assert.Single(world.State.ManifestOf(new Round(0))!.Entries);
        Assert.Equal(new ManifestEntry(new Uid(0), opening.ObjectDigest, opening.SizeBytes, opening.Key, 4), entry);
    }

    [Fact]
    public void Settlement_comes_every_few_rounds_and_at_the_end()
    {
        var world = new World(change: rules => rules with { Rounds = 8, SettleEvery = 3 });
        var settled = new List<int>();
        while (world.State.Stage != Stage.Finished)
        {
            world.Round();
            if (world.State.Stage == Stage.Settle)
            {
                settled.Add(world.State.CurrentRound.Number);
                world.SettleAll((0, Shares.One));
            }
        }

        Assert.Equal([2, 5, 7], settled);
        Assert.Equal(new Round(7), world.State.CurrentRound);
        Assert.Equal([2, 5, 7], world.State.Checkpoints.Select(checkpoint => checkpoint.Round.Number));
        Assert.Equal(World.Named("base", 7), world.State.QuorumBase(new Round(7)));
    }

    [Fact]
    public void A_finished_run_takes_nothing_more()
    {
        var world = new World(peers: 1, change: rules => rules with { Rounds = 1 });
        world.Round();
        world.SettleAll();
        Assert.Equal(Stage.Finished, world.State.Stage);
        Assert.Equal(Rejection.Late, world.Check(1, new Timeout(new Round(0), Stage.Settle)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(0, new Commit(new Round(1), Digest.Zero)));
        Assert.Equal(Rejection.Late, world.Check(0, new Return(new Round(0))));
        world.NewKey();
        Assert.Equal(Rejection.Late, world.Check(2, new Register(Role.Peer, "late", Digest.Zero)));
    }

    [Fact]
    public void A_stage_ends_when_validators_with_more_than_half_of_all_bond_say_it_lasted_too_long()
    {
        var world = new World(peers: 2, validators: 3, validatorBonds: [5, 3, 2]);
        world.Must(0, world.Commit(0));
        world.Must(2, world.Timeout());
        Assert.Equal(Stage.Commit, world.State.Stage);
        Assert.Equal(Rejection.AlreadyThere, world.Say(2, world.Timeout()));
        world.Must(4, world.Timeout());
        Assert.Equal(Stage.Reveal, world.State.Stage);

        // The votes of the last stage do not count here.
        world.Must(3, world.Timeout());
        world.Must(4, world.Timeout());
        Assert.Equal(Stage.Reveal, world.State.Stage);
        world.Must(2, world.Timeout());
        Assert.Equal(Stage.Judge, world.State.Stage);
    }

    [Fact]
    public void A_timeout_of_another_stage_or_round_is_refused()
    {
        var world = new World(peers: 1, validators: 2);
        world.CommitAll();
        Assert.Equal(Rejection.Late, world.Check(1, new Timeout(new Round(0), Stage.Commit)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(1, new Timeout(new Round(0), Stage.Judge)));
        Assert.Equal(Rejection.OutOfTurn, world.Check(1, new Timeout(new Round(1), Stage.Reveal)));
        Assert.Equal(Rejection.NotEntitled, world.Check(0, new Timeout(new Round(0), Stage.Reveal)));
    }

    [Fact]
    public void The_round_beacon_depends_on_every_revealed_preimage_and_on_no_signature()
    {
        var (world, twin) = (new World(peers: 1, validators: 2), new World(peers: 1, validators: 2));
        foreach (var one in new[] { world, twin })
        {
            one.CommitAll();
            one.RevealAll();
        }

        Assert.Equal(world.State.RoundBeacon, twin.State.RoundBeacon);

        var missing = new World(peers: 1, validators: 2);
        missing.CommitAll();
        missing.Must(0, missing.Reveal(0));
        missing.Must(1, missing.Beacon(1));
        missing.Must(1, missing.Timeout());
        missing.Must(2, missing.Timeout());
        Assert.Equal(Stage.Judge, missing.State.Stage);
        Assert.NotEqual(world.State.RoundBeacon, missing.State.RoundBeacon);
        Assert.Throws<InvariantViolation>(() => new World().State.RoundBeacon);
    }

    [Fact]
    public void A_beacon_moves_its_validators_chain_by_one()
    {
        var world = new World(peers: 1);
        var first = world.Beacon(1);
        world.CommitAll();
        world.RevealAll();
        Assert.Equal(first.Preimage, world.State.BeaconOf(new Uid(1)));
        Assert.Equal(first.Preimage, world.State.Members[1].ChainTip);
        Assert.Equal(first.Preimage, BeaconChain.Next(world.Beacon(1).Preimage));
    }
}
