using System.Xml.Linq;
using Cairn.Base;
using Cairn.Data;
using Cairn.Sparse;

namespace Cairn.Node.Tests;

/// <summary>The grid of methods: complete, without doubles, resumable, the same whatever runs beside what.</summary>
public sealed class LabTests(SmallRun run)
{
    [Fact]
    public async Task A_stopped_grid_goes_on_and_says_the_same_as_one_that_was_not()
    {
        using var folder = new TestFolder();
        var whole = await RunAsync(Options(folder["whole"]) with { Threads = 2 });
        Assert.Equal(whole.Cells, whole.CellsDone);
        var stopped = await RunAsync(Options(folder["parts"]), stopAfter: 3);
        Assert.Null(stopped.Report);
        Assert.InRange(stopped.CellsDone, 3, whole.Cells - 1);
        TearLastLine(Path.Combine(folder["parts"], "cells.jsonl"));
        var told = new List<string>();
        var resumed = await RunAsync(Options(folder["parts"]), tell: told.Add);
        Assert.Equal(whole.Cells - stopped.CellsDone + 1, told.Count);
        Assert.Equal(whole.Markdown, resumed.Markdown);
        foreach (var name in new[] { "results.json", "table.md", "plot.svg" })
        {
            Assert.Equal(File.ReadAllText(Path.Combine(folder["whole"], name)), File.ReadAllText(Path.Combine(folder["parts"], name)));
        }

        AssertAddsUp(whole.Report!);
        var svg = XDocument.Load(Path.Combine(folder["whole"], "plot.svg"));
        Assert.Equal("svg", svg.Root!.Name.LocalName);
        Assert.True(svg.Descendants().Count(e => e.Name.LocalName == "circle") > whole.Report!.Rows.Count);
    }

    [Fact]
    public void No_cell_stands_twice_and_those_without_H_once()
    {
        foreach (var options in new[] { Options("x"), Options("x") with { Quick = true, InnerSteps = [2, 3] }, new LabOptions { Directory = "x" }, new LabOptions { Directory = "x", Quick = true } })
        {
            var cells = LabMethods.Cells(options);
            Assert.Equal(cells.Count, cells.Select(cell => cell.Label).Distinct().Count());
            Assert.All(cells, cell => Assert.Equal(cell.Method.HasH, cell.H is not null));
            Assert.All(cells, cell => Assert.Equal(0, options.Steps % cell.InnerSteps));
            Assert.Equal(cells.Count, cells.Select(cell => Setting(options).KeyOf(cell)).Distinct().Count());
        }
    }

    [Fact]
    public void At_the_largest_H_there_are_twenty_rounds()
    {
        Assert.Equal(20, new LabOptions { Directory = "x" }.Steps / new LabOptions { Directory = "x" }.InnerStepsOrDefault.Max());
        Assert.Equal(20, new LabOptions { Directory = "x" }.Steps / new LabOptions { Directory = "x", Quick = true }.InnerStepsOrDefault.Max());
    }

    [Fact]
    public void Without_clipping_both_rules_of_feedback_are_the_same()
    {
        using var data = DataSet.Open(new RunDirectory(run.WholeFolder).Data);
        var unclipped = new SparseVariant(QuantizerKind.SignMagnitude, new Aggregation(AggregationRule.Mean), FeedbackRule.Applied, 1.5f, 0.95f);
        var clipped = unclipped with { Aggregation = new Aggregation(AggregationRule.Mean, Clip: true) };
        Assert.Equal(BaseOf(data, unclipped), BaseOf(data, unclipped with { Feedback = FeedbackRule.Sent }));
        Assert.NotEqual(BaseOf(data, clipped), BaseOf(data, clipped with { Feedback = FeedbackRule.Sent }));
    }

    [Fact]
    public void With_an_apply_delay_the_same_method_is_trained_from_the_base_before_the_last_and_learns()
    {
        using var data = DataSet.Open(new RunDirectory(run.WholeFolder).Data);
        var delayed = LabMethods.OursVariant with { ApplyDelay = 1 };
        Assert.Equal(BaseOf(data, delayed), BaseOf(data, delayed));
        Assert.NotEqual(BaseOf(data, LabMethods.OursVariant), BaseOf(data, delayed));
        Assert.NotEqual(BaseOf(data, delayed), BaseOf(data, delayed with { Leads = true }));
        // Two rounds are trained from the initial base; cells of earlier grids keep their names.
        Assert.Equal($"{LabMethods.OursVariant}", $"{delayed}");
        Assert.Contains("delay 1", LabMethods.All.Single(method => method.Name == LabMethods.OursDelayed).Numbers, StringComparison.Ordinal);
    }

    [Fact]
    public void On_real_updates_a_scale_for_each_chunk_loses_less_than_one_for_a_tensor_and_small_is_smaller_than_fast()
    {
        using var folder = new TestFolder();
        var report = QuantizerLab.Run(Options(folder["quantisers"]), 3, _ => { }, CancellationToken.None);
        var (published, magnitude, sign) = (report.Rows[0], report.Rows[1], report.Rows[2]);
        Assert.Equal(8, report.Updates);
        Assert.True(magnitude.KeptError < sign.KeptError && sign.KeptError < published.KeptError);
        Assert.All(report.Rows, row => Assert.True(row.BitsPerValueSmall < row.BitsPerValueFast && row.KeptError > 0));
        Assert.InRange(magnitude.BitsPerValueFast - sign.BitsPerValueFast, 0.9, 1.1);
    }

    [Theory]
    [InlineData("ahead", -0.1, -0.11, -0.12)]
    [InlineData("behind", 0.1, 0.11, 0.12)]
    [InlineData("even within the error", 0.1, -0.1, 0.02)]
    [InlineData("even within the error", 0.1, 0.3)]
    [InlineData("behind on one seed", 0.01)]
    [InlineData("not comparable, for one diverged", 0.1, double.NaN)]
    public void The_words_follow_from_the_numbers(string verdict, params double[] differences)
    {
        var options = Options("x") with { SeedCount = differences.Length };
        var plan = LabMethods.Cells(options).Where(cell => cell.Method.Name is LabMethods.Ours or LabMethods.Diloco && cell.H == 2).ToList();
        var results = plan.Select(cell => new CellResult(
            "", cell.Method.Name, cell.H, cell.Seed, 5, 4 + (cell.Method.Name == LabMethods.Ours ? differences[(int)cell.Seed - 1] : 0), 1, 1000, [], "", 1));
        var comparison = Assert.Single(LabSummary.Of(Setting(options), plan, [.. results]).Comparisons);
        Assert.Equal((verdict, differences.Length), (comparison.Verdict, comparison.Seeds));
        Assert.Equal(differences.Average(), comparison.Difference, 1e-9);
        Assert.Equal(differences.Length > 1, comparison.Error is not null);
    }

    private static void AssertAddsUp(LabReport report)
    {
        Assert.All(report.Cells, cell => Assert.True(cell.Loss < cell.Curve[0].Loss, $"{cell.Method} learned nothing"));
        Assert.All(report.Cells, cell => Assert.Equal(report.Tokens, cell.Curve[^1].Tokens));
        Assert.All(report.Rows.Where(row => row.Method is LabMethods.Diloco or LabMethods.DataParallel), row => Assert.Equal(1, row.RatioToDense, 1e-9));
        Assert.All(report.Rows.Where(row => row.Method == LabMethods.DilocoInt8), row => Assert.InRange(row.RatioToDense, 3.9, 4));
        Assert.All(report.Rows.Where(row => row.Method == LabMethods.Ours), row => Assert.True(row.RatioToDense > 50));
        // All cells of a seed begin at the same parameters.
        Assert.All(report.Cells.GroupBy(cell => cell.Seed), seed => Assert.Single(seed.Select(cell => cell.Curve[0].Loss).Distinct()));
    }

    private static string BaseOf(DataSet data, SparseVariant variant)
    {
        var setting = Setting(new LabOptions { Directory = "x", Preset = "pico", Steps = 36, Batch = 1 }) with { Data = data.Digest };
        setting = setting with { Shape = setting.Shape with { Vocabulary = data.Tokenizer.VocabularySize } };
        var method = new LabMethod("test", "", "", bench => new SparseMethod(bench, variant));
        return CellTraining.Run(setting, new LabCell(method, 3, 1), data, CancellationToken.None).Base;
    }

    private static LabSetting Setting(LabOptions options) => LabSetting.Of(options, Model.Presets.Get(options.Preset), Digest.Zero);

    private LabOptions Options(string directory) => new()
    {
        Directory = directory,
        Preset = "pico",
        Threads = 1,
        SeedCount = 1,
        Batch = 1,
        Steps = 12,
        InnerSteps = [2, 6],
        Corpus = new CorpusOptions { Paths = [run.Corpus] },
    };

    // As if the process had died while it wrote.
    private static void TearLastLine(string path)
    {
        var bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^20]);
    }

    private static async Task<LabOutcome> RunAsync(LabOptions options, int stopAfter = int.MaxValue, Action<string>? tell = null)
    {
        using var stop = new CancellationTokenSource();
        var done = 0;
        return await SparseLab.RunAsync(
            options, _ => { }, line =>
            {
                tell?.Invoke(line);
                if (++done >= stopAfter)
                {
                    stop.Cancel();
                }
            },
            stop.Token);
    }
}
