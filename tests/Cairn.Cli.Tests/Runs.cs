using System.Collections.Concurrent;
using System.Globalization;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>The command lines of small runs, and what they leave.</summary>
internal static class Runs
{
    private static readonly ConcurrentDictionary<int, Lazy<Task<RunReport>>> _undisturbed = new();

    /// <summary>Arguments that begin a run, or go on with it if it has begun: what a user types after a crash.</summary>
    public static string[] Arguments(TestFolder folder, string name, int rounds, params string[] more)
    {
        var corpus = folder["corpus.txt"];
        if (!File.Exists(corpus))
        {
            TestCorpus.Write(corpus);
        }

        var run = new RunDirectory(folder[name]);
        return
        [
            "swarm", "--preset", "pico", "--peers", "2", "--rounds", rounds.ToString(CultureInfo.InvariantCulture), "--data", corpus, "--dir", run.Root,
            "--threads", "2", .. run.HoldsRun ? ["--resume"] : Array.Empty<string>(), .. more,
        ];
    }

    /// <summary>Runs a process to its end and finds that it succeeded.</summary>
    public static async Task<RunReport> FinishAsync(TestFolder folder, string name, int rounds, IReadOnlyDictionary<string, string>? environment = null)
    {
        using var process = CairnProcess.Start(environment ?? new Dictionary<string, string>(), Arguments(folder, name, rounds));
        var code = await process.EndAsync();
        Assert.True(code == 0, $"exit code {code}: {process.Errors}{process.Output}");
        return ReadReport(folder, name);
    }

    /// <summary>How a run of that many rounds ends when nobody disturbs it: made once.</summary>
    public static Task<RunReport> UndisturbedAsync(int rounds) => _undisturbed.GetOrAdd(rounds, static rounds => new Lazy<Task<RunReport>>(async () =>
    {
        using var folder = new TestFolder();
        return await FinishAsync(folder, "undisturbed", rounds);
    })).Value;

    public static RunReport ReadReport(TestFolder folder, string name) =>
        RunReport.Read(File.ReadAllBytes(new RunDirectory(folder[name]).Report))!;

    /// <summary>All that does not depend on the time a run took.</summary>
    public static string Comparable(RunReport report) => (report with { Seconds = 0, TokensPerSecond = 0, Utilisation = null }).ToJsonLine();
}
