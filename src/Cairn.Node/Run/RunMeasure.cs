using Cairn.Base;

namespace Cairn.Node;

/// <summary>Measures what a node holds, apart from its run.</summary>
public static class RunMeasure
{
    /// <summary>The held-out loss of a node's newest durable state, on the samples on which the report of a swarm measures.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="node">A node that is not running.</param>
    /// <returns>Nats per token.</returns>
    /// <exception cref="InputException">There is no run or no such state, or a process has the node.</exception>
    public static double HeldOutLoss(RunDirectory directory, string node)
    {
        using var held = directory.LockNode(node);
        var rules = RunSetup.ReadRules(directory);
        using var log = new EventLog(Path.Combine(directory.Node(node), "measure.jsonl"), null);
        using var run = new RunContext(directory, rules, Swarm.DataOf(directory, rules), log, Environment.ProcessorCount, users: 1);
        using var replica = Replica.Open(run, directory.Node(node), trains: false);
        using var lease = run.Engines.RentAsync(CancellationToken.None).GetAwaiter().GetResult();
        return run.HeldOut.Measure(lease.Engine, replica.Base, Swarm.FinalSamples).Loss;
    }
}
