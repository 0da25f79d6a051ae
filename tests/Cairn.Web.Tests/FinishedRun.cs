using Cairn.Node;
using Cairn.Node.Tests;

[assembly: AssemblyFixture(typeof(Cairn.Web.Tests.FinishedRun))]

namespace Cairn.Web.Tests;

/// <summary>A small finished run, made once for all tests that only read one.</summary>
public sealed class FinishedRun : IAsyncLifetime
{
    public const int Rounds = 6;
    public const int Peers = 3;
    private readonly TestFolder _folder = new();

    internal RunDirectory Directory => new(_folder["run"]);

    internal RunSources Sources => SourcesOf(Directory);

    internal SwarmOutcome Outcome { get; private set; } = null!;

    internal string Corpus => _folder["corpus.txt"];

    internal static RunSources SourcesOf(RunDirectory run) => new()
    {
        Folder = run.Root,
        Rules = run.Rules,
        Ledger = run.Ledger,
        Events = run.Events,
        Nodes = run.Node(""),
        Checkpoints = run.Checkpoints,
        Comparison = Path.Combine(run.Root, "compare.json"),
        Baseline = Path.Combine(BaselineFile.FolderOf(run), BaselineFile.Name),
        Data = Path.Combine(run.Data, "manifest.json"),
        Evaluations = run.Evaluations,
        Contribution = Path.Combine(run.Root, ContributionAccount.FileName),
    };

    /// <summary>Writes the curve of a centralised baseline where the dashboard of a run looks for one.</summary>
    internal static void WriteBaseline(RunDirectory run, string data, string sample)
    {
        var folder = System.IO.Directory.CreateDirectory(BaselineFile.FolderOf(run)).FullName;
        File.WriteAllText(
            Path.Combine(folder, BaselineFile.Name),
            $$"""{"name":"AdamW","lossFinal":2.4,"curve":[{"tokens":0,"loss":6.1},{"tokens":40000,"loss":2.5}],"sample":"{{sample}}","data":"{{data}}"}""");
    }

    internal static string DataOf(RunDirectory run) => Cairn.Protocol.RunRulesFile.Read(File.ReadAllBytes(run.Rules), run.Rules).Data.Manifest.ToString();

    /// <summary>Deletes all logs of a run.</summary>
    internal static void DropLogs(RunDirectory run)
    {
        foreach (var log in System.IO.Directory.EnumerateFiles(run.Root, "events.jsonl", SearchOption.AllDirectories).ToList())
        {
            File.Delete(log);
        }
    }

    public async ValueTask InitializeAsync()
    {
        TestCorpus.Write(Corpus);
        Outcome = await Swarm.RunAsync(Options(_folder["run"], Rounds), _ => { }, _ => { }, CancellationToken.None);
    }

    internal SwarmOptions Options(string directory, int rounds) => new()
    {
        Directory = directory,
        Peers = Peers,
        Preset = "pico",
        Rounds = rounds,
        Data = [Corpus],
        Seed = 5,
        Threads = 2,
    };

    /// <summary>A copy whose files a test may change.</summary>
    internal RunDirectory Copy(TestFolder folder)
    {
        TestFolder.Copy(_folder["run"], folder["run"]);
        return new RunDirectory(folder["run"]);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
