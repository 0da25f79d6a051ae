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
        Assert.Equal((1, 0), (state.CommitOrder(new Uid(0)), state.CommitOrder(new Uid(1))));

        world.RevealAll();
        Assert.Equal(Stage.Judge, state.Stage);
        world.JudgeAll();
        Assert.Equal(Stage.Apply, state.Stage);
        Assert.Equal([0, 1], state.ManifestOf(new Round(0))!.Entries.Select(entry => entry.Uid.Value));
        world.PostAllBases();
        Assert.Equal((new Round(1), Stage.Commit), (state.CurrentRound, state.Stage));
        Assert.Equal(world.Genesis.InitialBase, World.Named("base", -1));
        Assert.Equal(World.Named("base", 0), state.QuorumBase(new Round(0)));
        Assert.Equal((1L, 8L, 16L), (state.StepsDone, state.SamplesTrained, state.SamplesIssued));
    }
}
