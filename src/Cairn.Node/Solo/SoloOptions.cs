using Cairn.Base;

namespace Cairn.Node;

/// <summary>What the user chooses for training by one process.</summary>
public sealed record SoloOptions
{
    /// <summary>Where data, state and checkpoint lie.</summary>
    public required string Directory { get; init; }

    /// <summary>Size of the model.</summary>
    public string Preset { get; init; } = "nano";

    /// <summary>Optimizer steps.</summary>
    public int Steps { get; init; } = 600;

    /// <summary>Sequences per step; null for what four peers of a swarm take together.</summary>
    public int? Batch { get; init; }

    /// <summary>Peak learning rate; null for the preset's.</summary>
    public double? Rate { get; init; }

    /// <summary>Files and folders of text; empty for the documentation beside the SDK.</summary>
    public IReadOnlyList<string> Data { get; init; } = [];

    /// <summary>The field of JSON lines that holds the text.</summary>
    public string TextField { get; init; } = "text";

    /// <summary>From which everything random follows.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads to compute with.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>"fp32", or "bf16": faster large products where the processor has them, but not the same bits everywhere. A swarm knows fp32 only.</summary>
    public string Precision { get; init; } = "fp32";

    /// <summary>Folder of a run whose model, samples, seed and batch are taken, so that the two can be compared; null for a training by itself.</summary>
    public string? Like { get; init; }

    /// <summary>Go on where the state in the folder stopped; the other options must be the same.</summary>
    public bool Resume { get; init; }

    /// <summary>The centralised baseline of a run: as many tokens as the run was trained on if it is over, else as many as its rules provide for.</summary>
    /// <param name="run">The run; its data must be here.</param>
    /// <param name="directory">Where the training is to lie; null for a folder in that of the run.</param>
    /// <exception cref="InputException">There is no run, or its files are damaged.</exception>
    public static SoloOptions BaselineOf(RunDirectory run, string? directory)
    {
        var rules = RunSetup.ReadRules(run);
        using var ledger = Ledger.EmbeddedLedger.Open(run.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var steps = state.Stage == Ledger.Stage.Finished ? state.SamplesTrained / (rules.PeersMax * rules.Training.Batch) : rules.InnerStepsTotal;
        return new SoloOptions
        {
            Directory = directory ?? BaselineFile.FolderOf(run),
            Preset = rules.Model.Preset,
            Steps = (int)Math.Max(1, steps),
            Seed = rules.Seed,
            Like = run.Root,
        };
    }

    /// <summary>Every value out of range, at once.</summary>
    /// <exception cref="InputException">Names them all.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (Steps is < 1 or > 100_000_000)
        {
            faults.Add($"--steps is {Steps}, must be 1 to 100,000,000");
        }

        if (Batch is < 1 or > 65_536)
        {
            faults.Add($"--batch is {Batch}, must be 1 to 65,536");
        }

        if (Rate is <= 0 or > 1)
        {
            faults.Add($"--rate is {Rate}, must lie in (0, 1]");
        }

        if (Threads is < 1 or > 256)
        {
            faults.Add($"--threads is {Threads}, must be 1 to 256");
        }

        if (Precision is not ("fp32" or "bf16"))
        {
            faults.Add($"--precision is {Precision}, must be fp32 or bf16");
        }
        else if (Precision == "bf16" && !Compute.CpuKernels.HasBf16)
        {
            faults.Add("--precision bf16 needs a processor with AVX-512 BF16 and Linux on x64: leave it out");
        }

        if (faults.Count > 0)
        {
            throw new InputException(string.Join("; ", faults) + ".");
        }
    }
}

/// <summary>Where a training by one process stands.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="TrainLoss">Loss of the newest batch, nats per token.</param>
/// <param name="HeldOut">Held-out loss if it was measured at this step, nats per token.</param>
/// <param name="BitsPerByte">The same in bits per byte.</param>
/// <param name="TokensPerSecond">Speed since the last report.</param>
public sealed record SoloProgress(int Step, int Steps, long Tokens, double TrainLoss, double? HeldOut, double? BitsPerByte, double TokensPerSecond);

/// <summary>What a training by one process gave.</summary>
/// <param name="Steps">Steps taken in all.</param>
/// <param name="Finished">True if that is all of them.</param>
/// <param name="Tokens">Tokens trained on.</param>
/// <param name="LossInitial">Held-out loss of the initial parameters, nats per token.</param>
/// <param name="LossFinal">Held-out loss now.</param>
/// <param name="BitsPerByteInitial">The same in bits per byte.</param>
/// <param name="BitsPerByteFinal">The same in bits per byte.</param>
/// <param name="BaseDigest">Merkle root over the parameters.</param>
/// <param name="Checkpoint">The folder to talk to.</param>
public sealed record SoloReport(
    int Steps, bool Finished, long Tokens, double LossInitial, double LossFinal, double BitsPerByteInitial, double BitsPerByteFinal,
    string BaseDigest, string Checkpoint);
