using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>Training by one process: the same bits on any threads and over any stops.</summary>
public sealed class SoloTests(SmallRun run)
{
    [Fact]
    public void Threads_and_stops_change_nothing()
    {
        using var folder = new TestFolder();
        var whole = Train(Options(folder["whole"]) with { Threads = 1 });
        Assert.True(whole.Finished);
        Assert.True(whole.LossFinal < 0.9 * whole.LossInitial);
        var stopped = Train(Options(folder["stopped"]), stopAt: 15);
        Assert.False(stopped.Finished);
        Assert.Equivalent(Options(folder["stopped"]), SoloOptionsFile.Read(folder["stopped"]));
        var resumed = Train(Options(folder["stopped"]) with { Resume = true });
        Assert.Equal((whole.BaseDigest, whole.LossFinal, whole.Tokens), (resumed.BaseDigest, resumed.LossFinal, resumed.Tokens));
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_nothing_is_lost()
    {
        using var folder = new TestFolder();
        Train(Options(folder["run"]), stopAt: 15);
        Refused(Options(folder["run"]));
        Refused(Options(folder["none"]) with { Resume = true });
        Refused(Options(folder["run"]) with { Resume = true, Steps = 100 });
        Refused(Options(folder["run"]) with { Resume = true, Seed = 9 });
        Refused(Options(folder["run"]) with { Resume = true, Data = [folder["other.txt"]] }, "other --data:");
        Refused(Options(folder["run"]) with { Resume = true, TextField = "body" }, "other --text-field:");
        Refused(Options(folder["run"]) with { Resume = true, Like = run.WholeFolder }, "other --like:");
        var state = Path.Combine(folder["run"], "state.bin");
        var kept = File.ReadAllBytes(state);
        TestFolder.FlipBit(state, 4000);
        Refused(Options(folder["run"]) with { Resume = true });
        File.WriteAllBytes(state, kept);
        Assert.True(Train(Options(folder["run"]) with { Resume = true }).Finished);
    }

    [Fact]
    public void The_baseline_of_a_run_sees_as_many_tokens_begins_at_the_same_loss_and_lies_where_the_run_is_shown()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(run.WholeFolder, folder["run"]);
        var directory = new RunDirectory(folder["run"]);
        var options = SoloOptions.BaselineOf(directory, null) with { Threads = 2 };
        options.Validate();
        Assert.False(Train(options, stopAt: 15).Finished);
        var kept = SoloOptionsFile.Read(options.Directory)! with { Resume = true };
        Refused(kept with { Like = null }, "other --like:");
        Refused(kept with { Data = [run.Corpus], Seed = 9 }, "other --data, --seed:");
        var report = Train(kept with { Like = directory.Root + Path.DirectorySeparatorChar });
        Assert.Equal(run.Undisturbed.Report.Tokens, report.Tokens);
        var path = BaselineFile.For(directory, BaselineFile.FolderOf(directory));
        var (baseline, curve) = (BaselineFile.Read(path)!, EventLog.Read(directory.Events).Select(line => line.Data).OfType<LossEvaluated>().ToList());
        Assert.Equal((0, curve[0].Loss), (baseline.Curve[0].Tokens, baseline.Curve[0].Loss));
        Assert.Equal(baseline.Curve.OrderBy(point => point.Tokens), baseline.Curve);
        Assert.Equal((report.Tokens, report.LossFinal), (baseline.Curve[^1].Tokens, baseline.LossFinal));
        Assert.Equal(baseline.Curve.Count, baseline.Curve.Select(point => point.Tokens).Distinct().Count());
        Assert.StartsWith("Gets the", baseline.Sample, StringComparison.Ordinal);

        // One on other text cannot stand beside it, and none cannot either.
        Train(Options(folder["other"]) with { Steps = 1 });
        var other = BaselineFile.Read(Path.Combine(folder["other"], BaselineFile.Name))!;
        BaselineFile.Write(Path.Combine(folder["other"], BaselineFile.Name), other with { Data = new string('0', 64) });
        Assert.Contains("other text", Assert.Throws<InputException>(() => BaselineFile.For(directory, folder["other"])).Message, StringComparison.Ordinal);
        Assert.Contains("train --like", Assert.Throws<InputException>(() => BaselineFile.For(directory, folder["none"])).Message, StringComparison.Ordinal);
    }

    private SoloOptions Options(string directory) => new()
    {
        Directory = directory,
        Preset = "pico",
        Steps = 45,
        Data = [run.Corpus],
        Seed = 3,
        Threads = 2,
    };

    private static void Refused(SoloOptions options, string says = "")
    {
        var refusal = Assert.Throws<InputException>(() => Train(options)).Message;
        Assert.DoesNotContain('\n', refusal);
        Assert.Contains(says, refusal, StringComparison.Ordinal);
    }

    private static SoloReport Train(SoloOptions options, int stopAt = int.MaxValue)
    {
        using var stop = new CancellationTokenSource();
        return SoloTraining.Run(
            options, _ => { }, progress =>
            {
                if (progress.Step >= stopAt)
                {
                    stop.Cancel();
                }
            },
            stop.Token);
    }
}
