using System.Text.Json;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>A run whose nodes are processes of their own, which meet only on the ledger and in the store.</summary>
public sealed class NodeProcessTests : IDisposable
{
    private const int Rounds = 8;
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Processes_of_their_own_end_with_the_same_bits_as_one_process_for_all()
    {
        await CreateAsync();
        var ended = await Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("peer", "peer-2"), RunAsync("validator", "validator-1"));
        var whole = await Runs.FinishAsync(_folder, "whole", Rounds);
        Assert.All(ended, node => Assert.Equal((true, Rounds, whole.BaseDigest), (node.Finished, node.Rounds, node.BaseDigest)));
        Assert.True(RunSummary.Read(new RunDirectory(_folder["run"])).DigestAgreement);
    }

    [Fact]
    public async Task A_killed_peer_comes_back_and_a_stranger_joins_and_earns()
    {
        await CreateAsync("--places", "3", "--rounds", "24");
        var others = Task.WhenAll(RunAsync("peer", "peer-1"), RunAsync("validator", "validator-1"));
        using (var killed = Start("peer", "peer-2"))
        {
            var log = Path.Combine(new RunDirectory(_folder["run"]).Node("peer-2"), "events.jsonl");
            while (!killed.HasExited && EventLog.Read(log).Count(line => line.Data is RoundApplied) < 3)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }

            killed.Kill();
        }

        var late = await Task.WhenAll(RunAsync("peer", "peer-2"), RunAsync("peer", "alice"));
        var all = (NodeOutcome[])[.. await others, .. late];
        Assert.All(all, node => Assert.Equal((true, all[0].BaseDigest), (node.Finished, node.BaseDigest)));
        var alice = RunSummary.Read(new RunDirectory(_folder["run"])).Members.Single(member => member.Name == "alice");
        Assert.True(alice.Accepted > 0 && alice.Bond + alice.Reward > 0, $"alice: {alice}");
    }

    [Fact]
    public async Task Who_is_no_member_or_runs_already_is_told_so_in_one_sentence()
    {
        Assert.Contains("run create", (await RefusedAsync("peer", "peer-1")), StringComparison.Ordinal);
        await CreateAsync();
        Assert.Contains("small letters", await RefusedAsync("peer", "Bob"), StringComparison.Ordinal);
        Assert.Contains("cairn peer", await RefusedAsync("validator", "peer-1"), StringComparison.Ordinal);
        Assert.Contains("validator-1", await RefusedAsync("validator", "zed"), StringComparison.Ordinal);
        using (new RunDirectory(_folder["run"]).LockNode("peer-1"))
        {
            Assert.Contains("another cairn process", await RefusedAsync("peer", "peer-1"), StringComparison.Ordinal);
            Assert.Contains("another cairn process", (await ToldAsync("swarm", "--resume", "--dir", _folder["run"])).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
        }

        File.Delete(Path.Combine(new RunDirectory(_folder["run"]).Node("peer-1"), "node.key"));
        Assert.Contains("restore node.key", await RefusedAsync("peer", "peer-1"), StringComparison.Ordinal);
    }

    private async Task<string> RefusedAsync(string word, string name) =>
        (await ToldAsync(word, "--dir", _folder["run"], "--name", name)).AssertRefused(ExitCode.BadInput);

    // The console of this process belongs to other tests.
    private static async Task<Captured> ToldAsync(params string[] arguments)
    {
        using var process = CairnProcess.Start(arguments);
        var code = await process.EndAsync();
        return new Captured(code, process.Output, process.Errors);
    }

    private async Task CreateAsync(params string[] more)
    {
        var corpus = _folder["corpus.txt"];
        if (!File.Exists(corpus))
        {
            TestCorpus.Write(corpus);
        }

        string[] rounds = more.Contains("--rounds") ? [] : ["--rounds", $"{Rounds}"];
        var created = await ToldAsync(["run", "create", "--dir", _folder["run"], "--preset", "pico", "--peers", "2", "--data", corpus, .. rounds, .. more]);
        Assert.Equal((0, ""), (created.Code, created.Errors));
        Assert.Contains("--name validator-1", created.Output, StringComparison.Ordinal);
    }

    private CairnProcess Start(string word, string name) => CairnProcess.Start(word, "--dir", _folder["run"], "--name", name, "--threads", "1", "--json");

    private async Task<NodeOutcome> RunAsync(string word, string name)
    {
        using var process = Start(word, name);
        var code = await process.EndAsync();
        Assert.True(code == 0, $"{name}: exit code {code}: {process.Errors}{process.Output}");
        return JsonSerializer.Deserialize(process.Output, CliJson.Default.NodeOutcome)!;
    }
}
