using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>What a user asks of the simulator.</summary>
public sealed record SimulationOptions
{
    /// <summary>How many seeds to run.</summary>
    public int Seeds { get; init; } = 1;

    /// <summary>The first of them.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Peers of a swarm.</summary>
    public int Peers { get; init; } = 8;

    /// <summary>Validators of a swarm.</summary>
    public int Validators { get; init; } = 3;

    /// <summary>Rounds of a run.</summary>
    public int Rounds { get; init; } = 12;

    /// <summary>The apply delay of every run, 0 or 1; null to draw it from the seed.</summary>
    public int? ApplyDelay { get; init; }

    /// <summary>Names of <see cref="Faults.Names"/> to draw from; null for all, empty for none.</summary>
    public IReadOnlyList<string>? Faults { get; init; }

    /// <summary>Names of <see cref="Conducts.Names"/> to draw from; null for all, empty for none.</summary>
    public IReadOnlyList<string>? Adversaries { get; init; }

    /// <summary>True for ECDSA keys.</summary>
    public bool RealKeys { get; init; }

    /// <summary>Refuses what cannot be run, naming all faults.</summary>
    /// <exception cref="InputException">A number is out of range, or a name is unknown.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Seeds is < 1 or > 10_000_000)
        {
            faults.Add($"--seeds is {Seeds}, must be 1 to 10,000,000");
        }

        if (Peers is < 1 or > 4096)
        {
            faults.Add($"--peers is {Peers}, must be 1 to 4096");
        }

        if (Validators is < 1 or > 256)
        {
            faults.Add($"--validators is {Validators}, must be 1 to 256");
        }

        if (Rounds is < 1 or > 10_000)
        {
            faults.Add($"--rounds is {Rounds}, must be 1 to 10,000");
        }

        if (ApplyDelay is not (null or 0 or 1))
        {
            faults.Add($"--apply-delay is {ApplyDelay}, must be 0 or 1");
        }

        faults.AddRange((Faults ?? []).Except(Simulation.Faults.Names)
            .Select(name => $"no fault is named '{name}': there are {string.Join(", ", Simulation.Faults.Names)}"));
        faults.AddRange((Adversaries ?? []).Except(Conducts.Names).Select(name => $"no adversary is named '{name}': there are {string.Join(", ", Conducts.Names)}"));
        if (faults.Count > 0)
        {
            throw new InputException($"{string.Join("; ", faults)}.");
        }
    }
}

/// <summary>The kinds of trouble that a scenario is drawn from.</summary>
public static class Faults
{
    /// <summary>All names, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "absence", "anneal", "clock", "corrupt", "diverge", "duplicate", "fallback", "fewer", "join", "kill", "late-news", "late-object", "lost-object", "move",
        "odd-verdict", "partition", "reorg", "rules", "slow", "stall", "truncate", "validator-absence", "validator-loss", "wrong-base",
    ];

    /// <summary>Those of them that are no trouble but what a run may be or its members may say: it anneals, they do fewer samples, have another place for
    /// their objects, want other rules.</summary>
    public static IReadOnlyList<string> Changes { get; } = ["anneal", "fewer", "move", "rules"];
}
