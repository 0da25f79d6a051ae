using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;
using Cairn.Node;
using Cairn.Simulation;

namespace Cairn.Cli.Attacks;

/// <summary>What the user chooses for an attack table.</summary>
/// <param name="Out">Where data, finished runs and table lie.</param>
/// <param name="Preset">Size of the model.</param>
/// <param name="Peers">Peers in all.</param>
/// <param name="Rounds">Rounds of a run.</param>
/// <param name="InnerSteps">Inner steps of a peer in a round.</param>
/// <param name="Batch">Sequences per inner step.</param>
/// <param name="Probes">Peers probed in a round; null for all.</param>
/// <param name="ProbeSequences">Sequences of a probe.</param>
/// <param name="Seeds">Seeds of each row.</param>
/// <param name="Adversaries">Which; empty for all.</param>
/// <param name="Percents">Which parts of the peers cheat.</param>
/// <param name="Threads">Runs side by side.</param>
/// <param name="Corpus">The text.</param>
internal sealed record AttackOptions(
    string Out, string Preset, int Peers, int Rounds, int InnerSteps, int Batch, int? Probes, int ProbeSequences, int Seeds,
    IReadOnlyList<string> Adversaries, IReadOnlyList<int> Percents, int Threads, CorpusOptions Corpus);

/// <summary>Computes an attack table: every run in this process, several side by side, each finished one kept.</summary>
internal static class AttackLab
{
    private const int Validators = 3;

    /// <summary>Computes what is missing and writes the table.</summary>
    /// <returns>The report, or null if it was stopped before its end.</returns>
    /// <exception cref="InputException">An option, the data or the folder cannot be used.</exception>
    public static async Task<(AttackReport? Report, string Page, int Done, int Count)> RunAsync(
        AttackOptions options, Action<string> tell, CancellationToken cancellation)
    {
        Validate(options);
        var directory = new RunDirectory(options.Out);
        var shape = Presets.Get(options.Preset);
        using var held = directory.Lock();
        using var data = DataSet.Prepare(
            new DataSetOptions { Corpus = options.Corpus, VocabularySize = shape.Vocabulary }, directory.Data, new Stages(tell));
        shape = shape with { Vocabulary = data.Tokenizer.VocabularySize };
        var setting = new AttackSetting(
            $"{options.Preset.ToLowerInvariant()} ({new ParameterLayout(shape).Length:N0} parameters) on data {data.Digest.Short}", options.Peers, Validators,
            options.Rounds, options.InnerSteps, options.Batch, data.SampleCount(shape.Context),
            Math.Min(options.Probes ?? options.Peers, options.Peers), options.ProbeSequences);
        using var file = new AttackFile(Path.Combine(directory.Root, "runs.jsonl"));
        var plan = Plan(options, setting);
        var missing = plan.Where(run => file.Find(run.KeyOf(setting)) is null).ToList();
        tell($"{plan.Count} runs, {plan.Count - missing.Count} of them finished earlier");
        await ComputeAsync(options, setting, shape, missing, data, file, tell, cancellation);
        var results = plan.Select(run => file.Find(run.KeyOf(setting))).OfType<AttackResult>().ToList();
        var report = new AttackReport(setting, AttackTable.RowsOf(results));
        var page = AttackTable.Page(setting, report.Rows);
        DurableFile.Write(Path.Combine(directory.Root, "table.md"), Encoding.UTF8.GetBytes(page));
        DurableFile.Write(Path.Combine(directory.Root, "results.json"), JsonSerializer.SerializeToUtf8Bytes(report, AttackJson.Default.AttackReport));
        return (results.Count == plan.Count ? report : null, page, results.Count, plan.Count);
    }

    private static void Validate(AttackOptions options)
    {
        var faults = new List<string>();
        void Range(string name, int value, int min, int max)
        {
            if (value < min || value > max)
            {
                faults.Add($"--{name} is {value}, must be {min} to {max}");
            }
        }

        Range("peers", options.Peers, 4, 64);
        Range("rounds", options.Rounds, 5, 1000);
        Range("inner-steps", options.InnerSteps, 1, 1000);
        Range("batch", options.Batch, 1, 1024);
        Range("probes", options.Probes ?? 1, 1, 64);
        Range("probe-sequences", options.ProbeSequences, 4, 4096);
        Range("seed-count", options.Seeds, 1, 100);
        Range("threads", options.Threads, 1, 256);
        foreach (var percent in options.Percents)
        {
            Range("percent", percent, 1, 49);
        }

        foreach (var unknown in options.Adversaries.Where(name => !Conducts.PeerNames.Contains(name)))
        {
            faults.Add($"no adversary is named '{unknown}': there are {string.Join(", ", Conducts.PeerNames)}");
        }

        if (faults.Count > 0)
        {
            throw new InputException($"{string.Join("; ", faults)}.");
        }
    }

    // Clean runs first, then the judged ones of all adversaries, then the unjudged: what is stopped early says most.
    private static List<AttackCase> Plan(AttackOptions options, AttackSetting setting)
    {
        var seeds = Enumerable.Range(1, options.Seeds).Select(seed => (ulong)seed).ToList();
        var cheats = options.Percents.Select(percent => setting.CheatsOf(percent / 100.0)).Distinct().OrderDescending().ToList();
        var adversaries = options.Adversaries.Count > 0 ? options.Adversaries : Conducts.PeerNames;
        return
        [
            .. from n in cheats from seed in seeds select new AttackCase(null, n, true, seed),
            .. from judged in new[] { true, false } from n in cheats from name in adversaries from seed in seeds select new AttackCase(name, n, judged, seed),
        ];
    }

    private static async Task ComputeAsync(
        AttackOptions options, AttackSetting setting, ModelShape shape, List<AttackCase> runs, DataSet data, AttackFile file, Action<string> tell,
        CancellationToken cancellation)
    {
        var (queue, gate, clock, done) = (new ConcurrentQueue<AttackCase>(runs), new Lock(), Stopwatch.StartNew(), 0);
        void Work()
        {
            while (!cancellation.IsCancellationRequested && queue.TryDequeue(out var run))
            {
                var training = new ModelTraining(run.Seed, setting.Batch, RateOf(options.Preset), setting.InnerSteps * setting.Rounds);
                using var objective = new ModelObjective(data, shape, training, cancellation);
                AttackResult result;
                try
                {
                    result = AttackRun.Run(run, setting, objective);
                }
                catch (OperationCanceledException)
                {
                    return;
                }

                lock (gate)
                {
                    file.Add(result);
                    var left = clock.Elapsed.TotalSeconds / ++done * (runs.Count - done);
                    tell(
                        $"{done,3}/{runs.Count}  {run.Label,-40} {result.Loss:F4} nats/token  a cheat is paid {100 * result.PayOfCheat,5:F1} % of an honest peer  " +
                        $"about {left / 60:N0} min left");
                }
            }
        }

        await Task.WhenAll(Enumerable.Range(0, options.Threads).Select(_ => Task.Run(Work, CancellationToken.None)));
    }

    /// <summary>The inner learning rate of a preset.</summary>
    /// <param name="preset">Its name.</param>
    public static double RateOf(string preset) => preset.ToLowerInvariant() switch { "pico" => 6e-3, "nano" => 4e-3, "micro" => 3e-3, "small" => 2e-3, _ => 4e-4 };

    private sealed class Stages(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }
}
