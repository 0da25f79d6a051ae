using Cairn.Base;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What all cells of a grid have in common: the model, the data, the tokens, the schedule. Only the method, H and the seed differ.</summary>
/// <param name="Preset">The model's name, for people.</param>
/// <param name="Shape">The model.</param>
/// <param name="Data">Names the data set.</param>
/// <param name="Peers">Peers.</param>
/// <param name="Batch">Sequences per peer and inner step.</param>
/// <param name="Steps">Inner steps of every peer: with the batch, the tokens of a cell.</param>
/// <param name="Schedule">The inner learning rate over them.</param>
/// <param name="Adam">The inner optimizer.</param>
internal sealed record LabSetting(
    string Preset, ModelShape Shape, Digest Data, int Peers, int Batch, int Steps, LearningRateSchedule Schedule, AdamWSettings Adam)
{
    /// <summary>Raised whenever a method computes something else than before: cells of an older version are then computed anew.</summary>
    public const int Version = 1;

    /// <summary>Peers of every cell.</summary>
    public const int PeerCount = 4;

    /// <summary>Held-out samples of a point of the curve.</summary>
    public const int CurveSamples = 64;

    /// <summary>Held-out samples of the final loss.</summary>
    public const int FinalSamples = 512;

    private const int WarmUpSteps = 20;

    /// <summary>Tokens that every cell trains on, all peers together.</summary>
    public long Tokens => (long)Peers * Batch * Steps * Shape.Context;

    /// <summary>The setting that options ask for.</summary>
    /// <param name="options">Valid.</param>
    /// <param name="shape">Of the preset, with the vocabulary of the data.</param>
    /// <param name="data">Names the data set.</param>
    public static LabSetting Of(LabOptions options, ModelShape shape, Digest data)
    {
        var warmUp = Math.Min(WarmUpSteps, options.Steps / 3);
        var schedule = new LearningRateSchedule(SwarmPreset.Of(options.Preset).PeakRate, warmUp, options.Steps - warmUp);
        return new LabSetting(options.Preset.ToLowerInvariant(), shape, data, PeerCount, options.BatchOrDefault, options.Steps, schedule, new AdamWSettings());
    }

    /// <summary>Everything that a cell's numbers follow from: two cells of one key have the same bits.</summary>
    public string KeyOf(LabCell cell) =>
        $"v{Version}|{Preset}|{Shape}|data {Data}|peers {Peers}|batch {Batch}|steps {Steps}|{Schedule}|{Adam}|samples {CurveSamples}, {FinalSamples}|" +
        $"{cell.Method.Name}|{cell.Method.Numbers}|H {cell.InnerSteps}|seed {cell.Seed}";
}

/// <summary>One cell of the grid.</summary>
/// <param name="Method">How is trained.</param>
/// <param name="H">Inner steps per round; null for a method that communicates every step.</param>
/// <param name="Seed">From which initial parameters and sample order follow.</param>
internal sealed record LabCell(LabMethod Method, int? H, ulong Seed)
{
    /// <summary>Inner steps from one communication to the next.</summary>
    public int InnerSteps => H ?? 1;

    /// <summary>For people.</summary>
    public string Label => $"{Method.Name}{(H is { } h ? $" H={h}" : "")} seed {Seed}";
}
