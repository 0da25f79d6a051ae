using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What a run without computing is to be like.</summary>
public sealed record WanRunOptions
{
    /// <summary>The run's folder.</summary>
    public required string Directory { get; init; }

    /// <summary>Where its objects are, an S3 address; null for the run's folder.</summary>
    public string? Store { get; init; }

    /// <summary>Parameters of the model.</summary>
    public required double Parameters { get; init; }

    /// <summary>Peers.</summary>
    public required int Peers { get; init; }

    /// <summary>Validators.</summary>
    public int Validators { get; init; } = 1;

    /// <summary>Rounds.</summary>
    public required int Rounds { get; init; }

    /// <summary>Seconds that stand for the inner steps.</summary>
    public required double ComputeSeconds { get; init; }

    /// <summary>The rule of that name.</summary>
    public int ApplyDelay { get; init; }
}

/// <summary>Begins a run whose members exchange real updates and compute nothing: real rules, keys and ledger; of data just enough for samples to be issued.</summary>
public static class WanFounding
{
    private const int Context = 16;
    private const int Lines = 2000;
    private const int RetainedRounds = 2;
    private const int VocabularySize = 512;
    private const int StageSecondsLeast = 60;

    /// <summary>Begins it.</summary>
    /// <param name="options">What it is to be like.</param>
    /// <returns>The rules.</returns>
    /// <exception cref="InputException">The rules cannot be run, or the folder cannot be used.</exception>
    public static RunRules Found(WanRunOptions options)
    {
        var directory = new RunDirectory(options.Directory);
        using var held = directory.Lock();
        if (directory.HoldsRun)
        {
            throw new InputException($"{directory.Root} already holds a run: choose another --dir.");
        }

        using var data = DataSet.Prepare(
            new DataSetOptions { Corpus = new CorpusOptions { Paths = [WriteText(directory)] }, VocabularySize = VocabularySize }, directory.Data);
        var rules = RulesOf(options, data);
        if (rules.Faults() is { Count: > 0 } faults)
        {
            throw new InputException($"this run cannot be begun: {string.Join("; ", faults)}.");
        }

        if (options.Store is { } store)
        {
            new RunPlaces(null, store).Write(directory.Root);
        }

        RunCreator.WriteLedger(directory, options.Peers, options.Validators, rules, forStrangers: false, order: _ => { });
        return rules;
    }

    private static RunRules RulesOf(WanRunOptions options, DataSet data)
    {
        var shape = LlamaOfSize.Of((long)options.Parameters, Context);
        return new RunRules(
            RunRules.CurrentVersion, "wan", Seed: 1, options.Peers,
            // Nobody has this model, so its base is named by what it is.
            new ModelRules(
                "wan", shape.Vocabulary, shape.Dim, shape.Layers, shape.Heads, shape.KvHeads, shape.FeedForward, shape.Context, shape.RopeTheta, shape.NormEpsilon,
                shape.TiedHead, shape.ParameterCount, Digest.Of("cairn/wan-base", BitConverter.GetBytes(shape.ParameterCount))),
            new DataRules(data.Digest, data.Tokenizer.Digest, data.SampleCount(shape.Context), data.HeldOut.SampleCount(shape.Context)),
            new TrainingRules(InnerSteps: 1, Batch: 1, PeakRate: 1e-3, WarmUpSteps: 1, 0.1, 0.9, 0.95, 1e-8, 0.1, 1.0),
            new SparseRules(
                0.95, 1.0, Combination.Mean, 0, ClipToMedianNorm: true, ChunkGrid.PublishedKeep, (Quantization)UpdateFormat.Default.Quantizer,
                (Coding)UpdateFormat.Default.Mode),
            new RoundRules(
                options.Rounds, Math.Min(options.Rounds, RunRules.RetainedMeansPerUpdate * RetainedRounds), options.ApplyDelay, ProbedPeers: 0, ProbeSequences: 2,
                ProbeStep: 0.2, OverlapPerMille: 400, RetainedRounds, StageSecondsLeast + (int)(3 * options.ComputeSeconds)),
            MoneyRules.Default with { PeerBondMin = RunCreator.GenesisBond / 10, ValidatorBondMin = RunCreator.GenesisBond / 10 });
    }

    private static string WriteText(RunDirectory directory)
    {
        var text = new StringBuilder();
        for (var i = 0; i < Lines; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"The walker of day {i} laid {i % 7} stones beside the {i % 31} that were there before.\n");
        }

        Directory.CreateDirectory(directory.Root);
        var path = Path.Combine(directory.Root, "text.txt");
        File.WriteAllText(path, text.ToString());
        return path;
    }
}
