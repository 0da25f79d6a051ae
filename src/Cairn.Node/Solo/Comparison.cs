using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>One point of a curve.</summary>
/// <param name="Tokens">Tokens trained on so far.</param>
/// <param name="Loss">Held-out loss, nats per token.</param>
public readonly record struct CurvePoint(long Tokens, double Loss);

/// <summary>How one way of training went.</summary>
/// <param name="Name">Which way.</param>
/// <param name="LossFinal">Held-out loss at the end, nats per token.</param>
/// <param name="BitsPerByteFinal">The same in bits per byte.</param>
/// <param name="BytesPerPeerAndRound">What a peer sends in a round; 0 for one process.</param>
/// <param name="Curve">Held-out loss over tokens.</param>
/// <param name="Sample">What its model writes, from the same beginning and seed as the samples of a swarm; null where none was taken.</param>
/// <param name="Data">Digest of the data set, where the curve lies apart from the run.</param>
public sealed record TrainingCurve(
    string Name, double LossFinal, double BitsPerByteFinal, double BytesPerPeerAndRound, IReadOnlyList<CurvePoint> Curve, string? Sample = null, string? Data = null);

/// <summary>A swarm beside central training at equal tokens.</summary>
/// <param name="Tokens">Tokens that each was trained on.</param>
/// <param name="Curves">The swarm first.</param>
public sealed record ComparisonReport(long Tokens, IReadOnlyList<TrainingCurve> Curves)
{
    /// <summary>Indented JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ComparisonJson.Default.ComparisonReport);

    /// <summary>By how much the swarm's loss is above the best central AdamW, as a part of it.</summary>
    public double GapToAdamW => Gap("AdamW");

    /// <summary>By how much the swarm's loss is above dense DiLoCo at the same H, as a part of it.</summary>
    public double GapToDiloco => Gap("DiLoCo");

    private double Gap(string prefix)
    {
        var best = Curves.Where(c => c.Name.StartsWith(prefix, StringComparison.Ordinal)).Min(c => c.LossFinal);
        return (Curves[0].LossFinal / best) - 1;
    }
}

/// <summary>Trains the same model on the same samples in the same order without a network: AdamW by one process (batch = peers × batch, three learning
/// rates) and dense DiLoCo at the same H. The comparison that an honest report owes.</summary>
public static class Comparison
{
    private const int Points = 24;

    /// <summary>Runs the baselines of a finished swarm and writes <c>compare.json</c>.</summary>
    /// <param name="folder">The swarm's folder.</param>
    /// <param name="threads">Baselines run side by side, a thread each.</param>
    /// <param name="progress">Told as each one ends; from any thread.</param>
    /// <param name="cancellation">Gives up; nothing is written.</param>
    public static async Task<ComparisonReport> RunAsync(string folder, int threads, Action<string> progress, CancellationToken cancellation)
    {
        var directory = new RunDirectory(folder);
        var rules = RunRulesFile.Read(File.ReadAllBytes(directory.Rules), directory.Rules);
        var report = RunReport.Read(File.ReadAllBytes(directory.Report))
            ?? throw new InputException($"{directory.Report} is no report: finish the run first (cairn swarm --resume --dir {folder}).");
        using var log = new EventLog(Path.Combine(directory.Root, "compare.log"), null);
        using var run = new RunContext(directory, rules, DataSet.Open(directory.Data), log, 1, 1);
        var steps = (int)(report.Tokens / (rules.PeersMax * rules.Training.Batch * (long)rules.Model.Context));
        var jobs = new ConcurrentQueue<(int Place, Func<TrainingCurve> Train)>();
        var rates = new[] { 0.5, 1.0, 2.0 }.Select(f => f * rules.Training.PeakRate).ToArray();
        for (var i = 0; i < rates.Length; i++)
        {
            var rate = rates[i];
            jobs.Enqueue((i + 1, () => AdamW(run, steps, rate, cancellation)));
        }

        jobs.Enqueue((rates.Length + 1, () => Diloco(run, steps, cancellation)));
        var curves = new TrainingCurve[rates.Length + 2];
        curves[0] = SwarmCurve(directory, report);
        await Task.WhenAll(Enumerable.Range(0, Math.Max(1, threads)).Select(_ => Task.Run(
            () =>
            {
                while (jobs.TryDequeue(out var job))
                {
                    curves[job.Place] = job.Train();
                    progress($"{curves[job.Place].Name}: {curves[job.Place].LossFinal:F4} nats/token");
                }
            },
            cancellation)));
        var result = new ComparisonReport(report.Tokens, curves);
        DurableFile.Write(Path.Combine(directory.Root, "compare.json"), result.ToJson());
        return result;
    }

    private static TrainingCurve SwarmCurve(RunDirectory directory, RunReport report) => new(
        $"swarm of {report.Peers} (SparseLoCo)", report.LossFinal, report.BitsPerByteFinal, report.BytesPerUpdate,
        [.. EventLog.Read(directory.Events).Select(line => line.Data).OfType<LossEvaluated>()
            .GroupBy(e => e.Round).Select(g => new CurvePoint(g.Last().Tokens, g.Last().Loss)).OrderBy(p => p.Tokens)]);

    private static TrainingCurve AdamW(RunContext run, int steps, double rate, CancellationToken cancellation)
    {
        var (rules, batch) = (run.Rules, run.Rules.PeersMax * run.Rules.Training.Batch);
        using var engine = new Engine(run.Layout, run.Adam, run.Schedule, batch, threads: 1);
        InitialParameters.Fill(run.Directory, rules, engine.Local);
        using var training = new AdamWBaseline(engine.Transformer, engine.Local, run.Adam, run.Schedule with { Peak = rate }, batch, rules.Model.Context);
        var order = new EpochOrder(rules);
        return Follow($"AdamW, one process, rate {rate:0.#####}", 0, run, engine, steps, batch, cancellation, (first, count) =>
            training.Train(count, (step, tokens, targets) => Fill(run, order, (long)(first + step) * batch, batch, tokens, targets)));
    }

    private static TrainingCurve Diloco(RunContext run, int steps, CancellationToken cancellation)
    {
        var (rules, h, batch) = (run.Rules, run.Rules.Training.InnerSteps, run.Rules.Training.Batch);
        using var engine = new Engine(run.Layout, run.Adam, run.Schedule, batch, threads: 1);
        InitialParameters.Fill(run.Directory, rules, engine.Local);
        using var training = new DilocoBaseline(engine.Transformer, engine.Local, rules.PeersMax, run.Adam, run.Schedule, batch, rules.Model.Context);
        var order = new EpochOrder(rules);
        var perPeer = rules.SamplesPerPeer;
        return Follow("DiLoCo, dense, same H", 4.0 * run.Grid.ElementCount, run, engine, steps, rules.PeersMax * batch, cancellation, (first, count) =>
        {
            for (var round = first / h; round < (first + count) / h; round++)
            {
                var start = (long)round * perPeer * rules.PeersMax;
                training.Round(h, worker => (step, tokens, targets) =>
                    Fill(run, order, start + ((long)worker * perPeer) + (step * batch), batch, tokens, targets));
            }
        });
    }

    private static TrainingCurve Follow(
        string name, double bytes, RunContext run, Engine engine, int steps, int batch, CancellationToken cancellation, Action<int, int> train)
    {
        var h = run.Rules.Training.InnerSteps;
        var stride = Math.Max(1, steps / h / Points) * h;
        var tokensPerStep = (long)batch * run.Rules.Model.Context;
        var curve = new List<CurvePoint> { new(0, run.HeldOut.Measure(engine, engine.Local, Swarm.CurveSamples).Loss) };
        for (var done = 0; done < steps; done += stride)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(stride, steps - done);
            train(done, count);
            curve.Add(new CurvePoint((done + count) * tokensPerStep, run.HeldOut.Measure(engine, engine.Local, Swarm.CurveSamples).Loss));
        }

        var final = run.HeldOut.Measure(engine, engine.Local, Swarm.FinalSamples);
        return new TrainingCurve(name, final.Loss, final.BitsPerByte, bytes, curve, SampleText.Of(run.Data.Tokenizer, engine, engine.Local));
    }

    private static void Fill(RunContext run, EpochOrder order, long first, int count, Span<int> tokens, Span<int> targets)
    {
        var length = run.Rules.Model.Context;
        for (var i = 0; i < count; i++)
        {
            run.Data.CopySample(order.At(first + i), length, tokens.Slice(i * length, length), targets.Slice(i * length, length));
        }
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ComparisonReport))]
[JsonSerializable(typeof(TrainingCurve))]
internal sealed partial class ComparisonJson : JsonSerializerContext;
