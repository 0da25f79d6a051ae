using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Simulation;

/// <summary>What must be true when the run is over.</summary>
internal static class FinalChecks
{
    public static void Pass(World world)
    {
        var ledger = world.Ledger.Head;
        Must.Hold(ledger.Stage == Stage.Finished, "liveness", "all nodes have ended and the run has not");
        world.Replay.Follow();
        var last = world.Oracle.BaseBefore(new Round(world.Scenario.Rounds)).Digest;
        foreach (var node in world.Nodes)
        {
            Check(world, node, last);
        }

        foreach (var (round, digest) in ledger.Checkpoints)
        {
            Must.Hold(digest == world.Oracle.BaseBefore(round.Next).Digest, "checkpoint", $"the checkpoint after round {round} is not the base");
        }

        var ending = new Ending(world);
        foreach (var node in world.Nodes)
        {
            if (node.Conduct.Breach(ending, node) is { } breach)
            {
                throw new OracleException($"claim of {node.Conduct.Name}", $"{node.Name}: {node.Conduct.Claim}; but {breach}");
            }
        }
    }

    private static void Check(World world, SimNode node, Digest last)
    {
        world.Reach(Probe.ValidatorGoneForGood, node.Role == Role.Validator && node.Plan.GoneForGood);
        if (node.Plan.GoneForGood || node.TooLate)
        {
            return;
        }

        if (node.Halted)
        {
            Must.Hold(node.Plan.Wrong is Wrong.Always or Wrong.Differently, "halt", $"{node.Name} halted though it could have healed");
            world.Reach(node.Plan.Wrong == Wrong.Always ? Probe.HaltedAlwaysWrong : Probe.HaltedOtherwiseEachTime);
            return;
        }

        Must.Hold(node.Finished, "liveness", $"{node.Name} did not finish");
        Must.Hold(node.Replica.Next.Number == world.Scenario.Rounds, "liveness", $"{node.Name} stopped at round {node.Replica.Next}");
        if (node.Plan.Wrong is Wrong.Always or Wrong.Differently && world.Ledger.Head.QuorumBase(new Round(world.Scenario.Rounds - 1)) is null)
        {
            // The last round closed without a quorum: nobody could tell this node that it is wrong.
            return;
        }

        Must.Hold(node.Replica.Base == last, "base", $"{node.Name} ended with another base");
        world.Reach(Probe.RecomputeHealed, node.Replica.WasWrong);
    }
}
