using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>The dashboard as a user starts it.</summary>
public sealed partial class DashboardTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_swarm_prints_where_it_can_be_watched_and_what_is_over_can_be_shown_and_replayed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals here");
        using (var swarm = CairnProcess.Start(Runs.Arguments(_folder, "run", 4)))
        {
            var now = await NowAsync(await AddressAsync(swarm));
            Assert.Equal(4, now.GetProperty("rounds").GetInt32());
            Assert.Equal(0, await swarm.EndAsync());
        }

        using (var dashboard = CairnProcess.Start("dashboard", "--dir", _folder["run"], "--port", "0"))
        {
            var address = await AddressAsync(dashboard);
            Assert.Contains("on this machine alone", dashboard.Output, StringComparison.Ordinal);
            await UntilFinishedAsync(address);
            dashboard.Interrupt();
            Assert.Equal(0, await dashboard.EndAsync());
        }

        // The same from ledger and store alone.
        var run = new Cairn.Node.RunDirectory(_folder["run"]);
        using (var dashboard = CairnProcess.Start("dashboard", "--ledger", run.Ledger, "--store", run.Store, "--port", "0"))
        {
            await UntilFinishedAsync(await AddressAsync(dashboard));
            dashboard.Interrupt();
            Assert.Equal(0, await dashboard.EndAsync());
        }

        using var replay = CairnProcess.Start("replay", "--dir", _folder["run"], "--port", "0", "--speed", "50");
        await UntilFinishedAsync(await AddressAsync(replay));
        replay.Interrupt();
        Assert.Equal((0, ""), (await replay.EndAsync(), replay.Errors));

        using (var train = CairnProcess.Start("train", "--like", _folder["run"], "--threads", "1"))
        {
            Assert.Equal((0, ""), (await train.EndAsync(), train.Errors));
            Assert.EndsWith($"./cairn dashboard --dir {_folder["run"]}", train.Output.Trim(), StringComparison.Ordinal);
        }

        foreach (var (file, more) in new[] { ("report.html", Array.Empty<string>()), ("model-card.md", ["--hf-card"]) })
        {
            using var report = CairnProcess.Start(["report", "--dir", _folder["run"], .. more]);
            Assert.Equal((0, ""), (await report.EndAsync(), report.Errors));
            Assert.Equal(Path.Combine(_folder["run"], file), report.Output.Trim());
            Assert.True(File.Exists(report.Output.Trim()));
        }

        // An account by who has ledger and store alone.
        using (var report = CairnProcess.Start("report", "--ledger", run.Ledger, "--store", run.Store, "--out", _folder["theirs.html"]))
        {
            Assert.Equal((0, ""), (await report.EndAsync(), report.Errors));
            Assert.Contains("<html", await File.ReadAllTextAsync(_folder["theirs.html"], TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }

        Assert.Contains("The baseline (AdamW, one process", await File.ReadAllTextAsync(Path.Combine(_folder["run"], "report.html"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_dashboard_nothing_listens()
    {
        using var swarm = CairnProcess.Start(Runs.Arguments(_folder, "run", 1, "--no-dashboard"));
        Assert.Equal(0, await swarm.EndAsync());
        Assert.DoesNotContain("http://", swarm.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("holds no run", "dashboard")]
    [InlineData("--ledger and --store together", "dashboard", "--ledger", "ledger.cairn")]
    [InlineData("--contract", "dashboard", "--ledger", "evm", "--store", "s3://bucket", "--rpc", "http://127.0.0.1:1")]
    [InlineData("--contract", "replay", "--ledger", "evm", "--store", "s3://bucket", "--rpc", "http://127.0.0.1:1")]
    [InlineData("127.0.0.1:1 cannot be reached", "replay", "--ledger", "evm", "--store", "s3://bucket", "--rpc", "http://127.0.0.1:1", "--confirmations", "3", "--contract",
        "0x5FbDB2315678afecb367f032d93F642f64180aa3", "--run", "00000000000000000000000000000000000000000000000000000000000000aa")]
    [InlineData("cairn observe", "report", "--ledger", "evm", "--store", "s3://bucket")]
    [InlineData("leave that out", "train", "--like", "x", "--seed", "3")]
    [InlineData("holds no run", "train", "--like", "x")]
    [InlineData("--port", "dashboard", "--port", "70000")]
    [InlineData("--listen", "dashboard", "--listen", "everywhere")]
    [InlineData("--speed", "replay", "--speed", "0")]
    public async Task What_cannot_be_shown_is_refused_in_one_line(string word, params string[] arguments)
    {
        string[] where = arguments.Contains("evm") ? [] : ["--dir", _folder["none"]];
        using var refused = CairnProcess.Start([.. arguments, .. where]);
        Assert.Equal(ExitCode.BadInput, await refused.EndAsync());
        Assert.Contains(word, Assert.Single(refused.Errors.Trim().Split('\n')), StringComparison.Ordinal);
    }

    /// <summary>The address that a process prints.</summary>
    internal static async Task<string> AddressAsync(CairnProcess process)
    {
        for (; ; await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            if (Address().Match(process.Output) is { Success: true } found)
            {
                return found.Value;
            }

            Assert.False(process.HasExited, process.Output + process.Errors);
        }
    }

    /// <summary>Waits until a dashboard has come to the end of its run.</summary>
    internal static async Task UntilFinishedAsync(HttpClient dashboard)
    {
        while (!(await dashboard.GetStringAsync("api/now", TestContext.Current.CancellationToken)).Contains("\"finished\":true", StringComparison.Ordinal))
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private static async Task UntilFinishedAsync(string address)
    {
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await UntilFinishedAsync(client);
    }

    private async Task<JsonElement> NowAsync(string address)
    {
        using var document = JsonDocument.Parse(await _client.GetStringAsync(address + "/api/now", TestContext.Current.CancellationToken));
        return document.RootElement.Clone();
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
