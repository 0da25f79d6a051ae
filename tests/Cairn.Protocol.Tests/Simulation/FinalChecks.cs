using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>What must be true when the run is over.</summary>
internal static class FinalChecks
{
    public static void Pass(World world)
    {
        var ledger = world.Chain.State;
        Assert.Equal(Stage.Finished, ledger.Stage);
        Assert.Equal(world.Chain.Replay().StateDigest(), ledger.StateDigest());
        var last = world.Oracle.BaseBefore(new Round(world.Scenario.Rounds));
        foreach (var node in world.Nodes)
        {
            Check(world, node, last);
        }
    }

    private static void Check(World world, SimNode node, Digest last)
    {
        world.Reach(Probe.ValidatorGoneForGood, node.Role == Role.Validator && node.Trait.GoneForGood);
        if (node.Trait.GoneForGood)
        {
            return;
        }

        if (node.Halted)
        {
            Assert.True(node.Trait.Wrong is Wrong.Always or Wrong.Differently, $"{node.Name} halted though it could have healed");
            world.Reach(node.Trait.Wrong == Wrong.Always ? Probe.HaltedAlwaysWrong : Probe.HaltedOtherwiseEachTime);
            return;
        }

        Assert.True(node.Finished, $"{node.Name} did not finish");
        Assert.Equal(world.Scenario.Rounds, node.Replica.Next.Number);
        if (node.Trait.Wrong is Wrong.Always or Wrong.Differently && world.Chain.State.QuorumBase(new Round(world.Scenario.Rounds - 1)) is null)
        {
            // The last round closed without a quorum: nobody could tell this node that it is wrong.
            return;
        }

        Assert.True(node.Replica.Base == last, $"{node.Name} ended with another base");
        world.Reach(Probe.RecomputeHealed, node.Replica.WasWrong);
        if (node.Role == Role.Peer)
        {
            Assert.True(node.Replica.Error == world.Oracle.ErrorOf(node.Uid), $"{node.Name} ended with another error feedback");
        }
    }
}
