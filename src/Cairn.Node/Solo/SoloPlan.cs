using Cairn.Base;
using Cairn.Data;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>What the bits of a training by one process follow from, besides its data.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Adam">The optimizer.</param>
/// <param name="Schedule">The learning rate.</param>
/// <param name="Batch">Sequences per step.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Seed">Of the first parameters and of the order of the samples.</param>
/// <param name="Key">Names all of it: a state goes on under the same key only.</param>
/// <param name="Order">Which sample comes when.</param>
internal sealed record SoloPlan(ModelShape Shape, AdamWSettings Adam, LearningRateSchedule Schedule, int Batch, int Steps, ulong Seed, Digest Key, EpochOrder Order)
{
    /// <summary>A training by itself.</summary>
    public static SoloPlan Of(SoloOptions options, DataSet data)
    {
        var (preset, shape) = (SwarmPreset.Of(options.Preset), Presets.Get(options.Preset) with { Vocabulary = data.Tokenizer.VocabularySize });
        var (batch, rate) = (options.Batch ?? (4 * preset.Batch), options.Rate ?? preset.PeakRate);
        var warmUp = Math.Min(preset.WarmUpSteps, Math.Max(1, options.Steps / 10));
        var schedule = new LearningRateSchedule(rate, warmUp, Math.Max(1, options.Steps - warmUp));
        return new SoloPlan(
            shape, new AdamWSettings(), schedule, batch, options.Steps, options.Seed,
            KeyOf($"{shape}|{options.Steps}|{batch}|{rate:R}|{warmUp}|{options.Seed}|{options.Precision}|{data.Digest}"),
            new EpochOrder(data.SampleCount(shape.Context), options.Seed));
    }

    /// <summary>The same model as a run's, on the samples of the run in their order, a batch that of all its peers together.</summary>
    /// <param name="options">Of a training like a run.</param>
    /// <param name="rules">The rules of that run.</param>
    public static SoloPlan Like(SoloOptions options, RunRules rules)
    {
        var schedule = RunContext.ScheduleOf(rules);
        schedule = schedule with { Peak = options.Rate ?? schedule.Peak };
        return new SoloPlan(
            RunContext.ShapeOf(rules.Model), RunContext.AdamOf(rules.Training), schedule, rules.PeersMax * rules.Training.Batch, options.Steps, rules.Seed,
            KeyOf($"like {rules.ComputeDigest()}|{options.Steps}|{schedule.Peak:R}|{options.Precision}"), new EpochOrder(rules));
    }

    private static Digest KeyOf(string text) => Digest.Of("cairn/solo", System.Text.Encoding.UTF8.GetBytes(text));
}
