using System.Text.Json;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>Runs whose nodes are processes of their own.</summary>
public abstract class NodeProcesses : IDisposable
{
    private protected const int Rounds = 8;

    private protected TestFolder Folder { get; } = new();

    /// <summary>What every process of the test finds in its environment.</summary>
    private protected Dictionary<string, string> Variables { get; } = [];

    public void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    // The console of this process belongs to other tests.
    private protected async Task<Captured> ToldAsync(params string[] arguments)
    {
        using var process = CairnProcess.Start(Variables, arguments);
        var code = await process.EndAsync();
        return new Captured(code, process.Output, process.Errors);
    }

    private protected async Task CreateAsync(params string[] more)
    {
        var corpus = Folder["corpus.txt"];
        if (!File.Exists(corpus))
        {
            TestCorpus.Write(corpus);
        }

        string[] rounds = more.Contains("--rounds") ? [] : ["--rounds", $"{Rounds}"];
        var created = await ToldAsync(["run", "create", "--dir", Folder["run"], "--preset", "pico", "--peers", "2", "--data", corpus, .. rounds, .. more]);
        Assert.Equal((0, ""), (created.Code, created.Errors));
        Assert.Contains("--name validator-1", created.Output, StringComparison.Ordinal);
    }

    private protected CairnProcess Start(string word, string name) => CairnProcess.Start(Variables, word, "--dir", Folder["run"], "--name", name, "--threads", "1", "--json");

    private protected Task<NodeOutcome> RunAsync(string word, string name) => EndAsync(name, Start(word, name));

    private protected static async Task<NodeOutcome> EndAsync(string name, CairnProcess started)
    {
        using var process = started;
        var code = await process.EndAsync();
        Assert.True(code == 0, $"{name}: exit code {code}: {process.Errors}{process.Output}");
        return JsonSerializer.Deserialize(process.Output, CliJson.Default.NodeOutcome)!;
    }
}
