using Cairn.Base;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What the owner of a local swarm chooses; everything else follows from the preset.</summary>
public sealed record SwarmOptions
{
    /// <summary>The run's folder.</summary>
    public required string Directory { get; init; }

    /// <summary>Peers, 1 to 64.</summary>
    public int Peers { get; init; } = 4;

    /// <summary>Most peers in a round; null for <see cref="Peers"/>: then nobody else finds a place.</summary>
    public int? Places { get; init; }

    /// <summary>Validators, 1 to 16.</summary>
    public int Validators { get; init; } = 1;

    /// <summary>Size of the model.</summary>
    public string Preset { get; init; } = "nano";

    /// <summary>A model to go on with, in any format that is read: its shape, tokenizer and parameters; null to begin with a new one of <see cref="Preset"/>.</summary>
    public string? From { get; init; }

    /// <summary>Inner steps of a round; null for what suits the preset.</summary>
    public int? InnerSteps { get; init; }

    /// <summary>Sequences per inner step and peer; null for what suits the preset.</summary>
    public int? Batch { get; init; }

    /// <summary>Rounds, or null to let <see cref="Minutes"/> decide.</summary>
    public int? Rounds { get; init; }

    /// <summary>How long the training should take; becomes a number of rounds before round 0.</summary>
    public double Minutes { get; init; } = 2;

    /// <summary>Files and folders of text; empty for the documentation beside the SDK.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>The field of JSON lines that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>From which everything random follows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads to compute with, in all.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Go on with the run in the folder.</summary>
    public bool Resume { get; init; }

    /// <summary>How the updates of a round are combined.</summary>
    public Combination Combination { get; init; } = Combination.Mean;

    /// <summary>Liars that <see cref="Combination.Support"/> or <see cref="Combination.TrimmedMean"/> is to bear; null for a quarter of the peers.</summary>
    public int? Tolerated { get; init; }

    /// <summary>How values become codes.</summary>
    public Quantization Quantization { get; init; } = (Quantization)UpdateFormat.Default.Quantizer;

    /// <summary>How updates are written.</summary>
    public Coding Coding { get; init; } = (Coding)UpdateFormat.Default.Mode;

    /// <summary>1 to train a round while the one before it is exchanged and closed; 0 to apply that one first.</summary>
    public int ApplyDelay { get; init; }

    /// <summary>α, the step along the combined update; null for the preset's.</summary>
    public double? OuterRate { get; init; }

    /// <summary>How many of the last rounds train on the annealing part of the data; null for a tenth of them where the data have one;
    /// 0 to train on all data alike.</summary>
    public int? AnnealRounds { get; init; }

    /// <summary>What the learning rate rises to anew when the annealing begins, as a part of its peak, to fall to zero; null where it goes on as
    /// if nothing were.</summary>
    public double? AnnealRate { get; init; }

    /// <summary>Updates probed in a round; null for as many as are affordable (<see cref="ProbeBudget"/>).</summary>
    public int? Probes { get; init; }

    /// <summary>Sequences of a probe, half assigned and half held back; null for as many as are affordable.</summary>
    public int? ProbeSequences { get; init; }

    /// <summary>How long a stage may last before validators close it, in seconds; null for what the slowest machine may take.</summary>
    public int? StageSeconds { get; init; }

    /// <summary>The chain that orders the ledger; null for the file on this machine.</summary>
    public ChainOptions? Chain { get; init; }

    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">The preset is unknown, or names all that is out of range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Need(bool holds, string text)
        {
            if (!holds)
            {
                faults.Add(text);
            }
        }

        _ = Presets.Get(Preset);
        Need(Peers is >= 1 and <= 64, $"--peers is {Peers}, must be 1 to 64");
        Need(Places is null || (Places >= Math.Max(1, Peers) && Places <= 4096), $"--places is {Places}, must be {Math.Max(1, Peers)} (the peers that begin) to 4,096");
        Need(Validators is >= 1 and <= 16, $"--validators is {Validators}, must be 1 to 16");
        Need(Rounds is null or (>= 1 and <= 1_000_000), $"--rounds is {Rounds}, must be 1 to 1,000,000");
        Need(Minutes is > 0 and <= 100_000, $"--minutes is {Minutes}, must be above 0 and at most 100,000");
        Need(Threads is >= 1 and <= 256, $"--threads is {Threads}, must be 1 to 256");
        Need(ApplyDelay is 0 or 1, $"--apply-delay is {ApplyDelay}, must be 0 or 1");
        Need(OuterRate is null or (> 0 and <= 4), $"--outer-rate is {OuterRate}, must be above 0 and at most 4");
        Need(AnnealRounds is null or (>= 0 and < 1_000_000), $"--anneal-rounds is {AnnealRounds}, must be 0 to 999,999");
        Need(AnnealRate is null or (> 0 and <= 1), $"--anneal-rate is {AnnealRate}, must be above 0 and at most 1");
        Need(AnnealRate is null || AnnealRounds != 0, "--anneal-rate needs rounds to anneal in: leave out --anneal-rounds 0");
        Need(Probes is null or (>= 0 and <= 4096), $"--probes is {Probes}, must be 0 to 4,096");
        Need(ProbeSequences is null or (>= 2 and <= 4096), $"--probe-sequences is {ProbeSequences}, must be 2 to 4,096");
        Need(StageSeconds is null or (>= 1 and <= 86_400), $"--stage-seconds is {StageSeconds}, must be 1 to 86,400");
        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}
