using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>How one seed ended.</summary>
/// <param name="Seed">Which.</param>
/// <param name="Scenario">What was run.</param>
/// <param name="Fault">What an oracle said, or null if all held.</param>
/// <param name="Oracle">Which oracle, or null.</param>
/// <param name="Fingerprint">Over all events; equal for equal runs.</param>
/// <param name="Reached">Rare paths that were reached.</param>
/// <param name="Events">Events that happened.</param>
/// <param name="VirtualMilliseconds">How long the run lasted in its own time.</param>
public sealed record SeedResult(
    ulong Seed, Scenario Scenario, string? Fault, string? Oracle, ulong Fingerprint, IReadOnlySet<Probe> Reached, long Events, long VirtualMilliseconds)
{
    /// <summary>True if every oracle held.</summary>
    public bool Held => Fault is null;
}

/// <summary>The door of this room: scenarios in, results out. One thread, no clock, no chance but the seed's.</summary>
public static class Simulator
{
    /// <summary>The scenario that a seed draws.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="options">Size of the swarm, and what may go wrong.</param>
    public static Scenario Draw(ulong seed, SimulationOptions options) => ScenarioDraw.From(seed, options);

    /// <summary>Runs a scenario to its end.</summary>
    /// <param name="scenario">One without faults of its own (<see cref="Scenario.Faulty"/>).</param>
    /// <param name="trace">Receives every event as a line, or null.</param>
    /// <param name="objective">What is trained; null for the small problem that a seed makes. Its samples are those of the scenario.</param>
    /// <param name="isStopped">Asked before every event: true ends it.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static SeedResult Run(Scenario scenario, Action<string>? trace = null, IObjective? objective = null, Func<bool>? isStopped = null) =>
        Run(scenario, Mutation.None, trace, objective, isStopped);

    internal static SeedResult Run(
        Scenario scenario, Mutation mutation, Action<string>? trace = null, IObjective? objective = null, Func<bool>? isStopped = null)
    {
        using var world = new World(scenario, trace is not null, mutation: mutation, objective: objective);
        string? fault = null;
        string? oracle = null;
        try
        {
            world.Run(isStopped);
        }
        catch (OracleException e)
        {
            (fault, oracle) = (e.Message, e.Oracle);
        }
        catch (InvariantViolation e)
        {
            (fault, oracle) = ($"invariant: {e.Message}", "invariant");
        }

        foreach (var line in world.Trace)
        {
            trace!(line);
        }

        return new SeedResult(scenario.Seed, scenario, fault, oracle, world.Fingerprint, world.Reached, world.Heap.Happened, world.Heap.Now);
    }

    /// <summary>Makes a scenario that fails smaller, as long as the same oracle fails.</summary>
    /// <param name="failed">A result that did not hold.</param>
    /// <param name="runsMax">The most runs to spend.</param>
    /// <param name="isStopped">Asked before every event: true ends it.</param>
    /// <returns>The smallest found, with its result.</returns>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static SeedResult Shrink(SeedResult failed, int runsMax = 400, Func<bool>? isStopped = null) =>
        new Shrinker(Mutation.None, runsMax).Shrink(failed, isStopped);
}
