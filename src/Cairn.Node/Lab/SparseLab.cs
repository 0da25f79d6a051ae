using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>How a grid ended.</summary>
/// <param name="CellsDone">Cells that are finished, earlier ones included.</param>
/// <param name="Cells">Cells of the grid.</param>
/// <param name="Report">What it says; null if it was stopped before its end.</param>
/// <param name="Markdown">The same as a page; empty if it was stopped.</param>
public sealed record LabOutcome(int CellsDone, int Cells, LabReport? Report, string Markdown);

/// <summary>An honest grid of communication-efficient methods: the same model, data, tokens, schedule and sample order in every cell, peers simulated
/// one after another in this process, nothing sent. Writes table.md, results.json and plot.svg; each finished cell is kept, so a stop loses little.</summary>
public static class SparseLab
{
    /// <summary>Computes what is missing, several cells side by side, then writes what came out.</summary>
    /// <param name="options">Valid.</param>
    /// <param name="prepare">Told what is being prepared.</param>
    /// <param name="tell">Told a line for each finished cell, from any thread, one at a time.</param>
    /// <param name="cancellation">Stops: cells that were not finished are given up.</param>
    /// <exception cref="InputException">Data or folder cannot be used.</exception>
    public static async Task<LabOutcome> RunAsync(LabOptions options, Action<string> prepare, Action<string> tell, CancellationToken cancellation)
    {
        var directory = new RunDirectory(options.Directory);
        var shape = Presets.Get(options.Preset);
        using var held = directory.Lock();
        using var data = DataSet.Prepare(
            new DataSetOptions { Corpus = options.Corpus, VocabularySize = shape.Vocabulary }, directory.Data, new Stages(prepare));
        CheckData(data, shape);
        var setting = LabSetting.Of(options, shape with { Vocabulary = data.Tokenizer.VocabularySize }, data.Digest);
        using var file = new CellFile(Path.Combine(directory.Root, "cells.jsonl"));
        var plan = LabMethods.Cells(options);
        var missing = plan.Where(cell => file.Find(setting.KeyOf(cell)) is null).ToList();
        prepare($"{plan.Count} cells of {setting.Tokens:N0} tokens, {plan.Count - missing.Count} of them finished earlier");
        await ComputeAsync(setting, missing, data, file, options.Threads, tell, cancellation);
        var results = plan.Select(cell => file.Find(setting.KeyOf(cell))).OfType<CellResult>().ToList();
        return results.Count == plan.Count
            ? Write(directory.Root, LabSummary.Of(setting, plan, results))
            : new LabOutcome(results.Count, plan.Count, null, "");
    }

    private static void CheckData(DataSet data, ModelShape shape)
    {
        if (data.SampleCount(shape.Context) < 1 || data.HeldOut.SampleCount(shape.Context) < 1)
        {
            throw new InputException("the text gives no whole sample to train on or none to measure on: give more of it (--data).");
        }
    }

    private static async Task ComputeAsync(
        LabSetting setting, List<LabCell> cells, DataSet data, CellFile file, int threads, Action<string> tell, CancellationToken cancellation)
    {
        var queue = new ConcurrentQueue<LabCell>(cells);
        var progress = new Finished(file, cells.Count, Math.Min(threads, Math.Max(1, cells.Count)), tell);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        void Work()
        {
            try
            {
                while (!stop.IsCancellationRequested && queue.TryDequeue(out var cell))
                {
                    progress.Add(cell, CellTraining.Run(setting, cell, data, stop.Token));
                }
            }
            catch (OperationCanceledException)
            {
                // The cell begins anew another time.
            }
            catch
            {
                stop.Cancel();
                throw;
            }
        }

        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(Work, CancellationToken.None)));
    }

    private static LabOutcome Write(string folder, LabReport report)
    {
        var page = LabTable.Write(report);
        DurableFile.Write(Path.Combine(folder, "results.json"), report.ToJson());
        DurableFile.Write(Path.Combine(folder, "table.md"), Encoding.UTF8.GetBytes(page));
        DurableFile.Write(Path.Combine(folder, "plot.svg"), Encoding.UTF8.GetBytes(LabPlot.Draw(report)));
        return new LabOutcome(report.Cells.Count, report.Cells.Count, report, page);
    }

    // Progress<T> would post to another thread and lose the order.
    private sealed class Stages(Action<string> tell) : IProgress<string>
    {
        public void Report(string value) => tell(value);
    }

    // Keeps each cell before anybody hears of it.
    private sealed class Finished(CellFile file, int count, int abreast, Action<string> tell)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly Lock _lock = new();
        private double _seconds;
        private int _done;

        public void Add(LabCell cell, CellResult result)
        {
            lock (_lock)
            {
                file.Add(result);
                _done++;
                _seconds += result.Seconds;
                var left = (count - _done) * _seconds / _done / abreast;
                tell(
                    $"{_done,3}/{count}  {cell.Label,-52} {result.LossFinal:F4} nats/token  {LabTable.Size(result.BytesPerPeer),11} per peer  " +
                    $"{result.Seconds,4:N0} s  elapsed {Time(_clock.Elapsed.TotalSeconds)}, about {Time(left)} left");
            }
        }

        private static string Time(double seconds) => seconds < 90 ? $"{seconds:N0} s" : $"{seconds / 60:N0} min";
    }
}
