using Cairn.Base;
using Cairn.Data;

namespace Cairn.Node;

/// <summary>What the user chooses for a grid of methods.</summary>
public sealed record LabOptions
{
    /// <summary>Where data, finished cells, table and plot lie.</summary>
    public required string Directory { get; init; }

    /// <summary>Size of the model.</summary>
    public string Preset { get; init; } = "nano";

    /// <summary>One seed, fewer tokens, two values of H: a first look.</summary>
    public bool Quick { get; init; }

    /// <summary>Cells that are computed side by side, a thread each.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Seeds of the methods that are compared with an error; null for 3, or 1 if quick.</summary>
    public int? SeedCount { get; init; }

    /// <summary>Sequences per peer and inner step; null for 2, or 1 if quick.</summary>
    public int? Batch { get; init; }

    /// <summary>The text.</summary>
    public CorpusOptions Corpus { get; init; } = new();

    /// <summary>Inner steps of every peer in every cell: 20 rounds of the largest H.</summary>
    internal int Steps { get; init; } = 600;

    /// <summary>The values of H; each divides <see cref="Steps"/>. Null for 5, 15, 30, or 15, 30 if quick.</summary>
    internal IReadOnlyList<int>? InnerSteps { get; init; }

    internal IReadOnlyList<int> InnerStepsOrDefault => InnerSteps ?? (Quick ? [15, 30] : [5, 15, 30]);

    internal int SeedCountOrDefault => SeedCount ?? (Quick ? 1 : 3);

    internal int BatchOrDefault => Batch ?? (Quick ? 1 : 2);

    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">Names them all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Threads is < 1 or > 256)
        {
            faults.Add($"--threads is {Threads}, must be 1 to 256");
        }

        if (SeedCount is < 1 or > 100)
        {
            faults.Add($"--seed-count is {SeedCount}, must be 1 to 100");
        }

        if (Batch is < 1 or > 65_536)
        {
            faults.Add($"--batch is {Batch}, must be 1 to 65,536");
        }

        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}
