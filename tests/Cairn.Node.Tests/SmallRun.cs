using Cairn.Base;

[assembly: AssemblyFixture(typeof(Cairn.Node.Tests.SmallRun))]

namespace Cairn.Node.Tests;

/// <summary>One small run, made once for all tests: whole in one folder, stopped in the middle in another. Tests work on copies.</summary>
public sealed class SmallRun : IAsyncLifetime
{
    private const int Rounds = 7;
    private const int StoppedAfter = 3;
    private const int StoppedLateAfter = 5; // one round after the first settlement
    private readonly TestFolder _folder = new();

    /// <summary>How the undisturbed run ended.</summary>
    public SwarmOutcome Undisturbed { get; private set; } = null!;

    internal string WholeFolder => _folder["whole"];

    internal string Corpus => _folder["corpus.txt"];

    private string HalfFolder => _folder["half"];

    private string LateFolder => _folder["late"];

    public async ValueTask InitializeAsync()
    {
        TestCorpus.Write(Corpus);
        Undisturbed = await RunAsync(Options(WholeFolder));
        var stopped = await RunAsync(Options(HalfFolder), stopAfter: StoppedAfter);
        Assert.False(stopped.Finished);
        Assert.Equal(StoppedAfter + 1, stopped.Report.Rounds);
        TestFolder.Copy(HalfFolder, LateFolder);
        await RunAsync(Options(LateFolder) with { Resume = true }, StoppedLateAfter);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    internal SwarmOptions Options(string directory) => new()
    {
        Directory = directory,
        Peers = 2,
        Preset = "pico",
        Rounds = Rounds,
        Data = [Corpus],
        Seed = 5,
        Threads = 2,
    };

    /// <summary>A copy of the run that stopped in the middle.</summary>
    internal RunDirectory CopyOfHalf(TestFolder folder)
    {
        TestFolder.Copy(HalfFolder, folder["run"]);
        return new RunDirectory(folder["run"]);
    }

    /// <summary>A copy of the run that stopped after its first settlement.</summary>
    internal RunDirectory CopyOfLate(TestFolder folder)
    {
        TestFolder.Copy(LateFolder, folder["run"]);
        return new RunDirectory(folder["run"]);
    }

    internal Task<SwarmOutcome> ResumeAsync(RunDirectory run) => RunAsync(Options(run.Root) with { Resume = true });

    /// <summary>The sentence with which a run is refused.</summary>
    internal async Task<string> RefusalAsync(RunDirectory run) => (await Assert.ThrowsAsync<InputException>(() => ResumeAsync(run))).Message;

    /// <summary>Goes on with a run and finds that it ends exactly as the undisturbed one.</summary>
    internal async Task AssertEndsAsUndisturbedAsync(RunDirectory run)
    {
        var outcome = await ResumeAsync(run);
        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        Assert.Equal(Comparable(Undisturbed.Report), Comparable(outcome.Report));
        Assert.True(outcome.Report.DigestAgreement);
    }

    /// <summary>Runs a swarm, until the ledger has closed a round if one is named.</summary>
    internal static Task<SwarmOutcome> RunAsync(SwarmOptions options, int stopAfter = int.MaxValue) =>
        RunAsync(options, happened => happened is StageChanged stage && stage.Round > stopAfter);

    /// <summary>Runs a swarm until something happens.</summary>
    internal static async Task<SwarmOutcome> RunAsync(SwarmOptions options, Func<RunEvent, bool> stopAt)
    {
        using var stop = new CancellationTokenSource();
        return await Swarm.RunAsync(
            options, happened =>
            {
                if (stopAt(happened))
                {
                    stop.Cancel();
                }
            },
            _ => { }, stop.Token);
    }

    // All that does not depend on the time a run took.
    private static string Comparable(RunReport report) => (report with { Seconds = 0, TokensPerSecond = 0, Utilisation = null }).ToJsonLine();
}
