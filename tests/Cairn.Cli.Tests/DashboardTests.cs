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

        // The same from ledger and store alone, with the rules where a run for strangers has them.
        var run = new Cairn.Node.RunDirectory(_folder["run"]);
        Directory.CreateDirectory(Path.Combine(run.Store, "run"));
        File.Copy(run.Rules, Path.Combine(run.Store, "run", "rules.json"));
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

        foreach (var (file, more) in new[] { ("report.html", Array.Empty<string>()), ("model-card.md", ["--hf-card"]) })
        {
            using var report = CairnProcess.Start(["report", "--dir", _folder["run"], .. more]);
            Assert.Equal((0, ""), (await report.EndAsync(), report.Errors));
            Assert.Equal(Path.Combine(_folder["run"], file), report.Output.Trim());
            Assert.True(File.Exists(report.Output.Trim()));
        }
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
    [InlineData("--port", "dashboard", "--port", "70000")]
    [InlineData("--listen", "dashboard", "--listen", "everywhere")]
    [InlineData("--speed", "replay", "--speed", "0")]
    public async Task What_cannot_be_shown_is_refused_in_one_line(string word, params string[] arguments)
    {
        using var refused = CairnProcess.Start([.. arguments, "--dir", _folder["none"]]);
        Assert.Equal(ExitCode.BadInput, await refused.EndAsync());
        Assert.Contains(word, Assert.Single(refused.Errors.Trim().Split('\n')), StringComparison.Ordinal);
    }

    private static async Task<string> AddressAsync(CairnProcess process)
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

    private async Task UntilFinishedAsync(string address)
    {
        while (!(await NowAsync(address)).GetProperty("finished").GetBoolean())
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private async Task<JsonElement> NowAsync(string address)
    {
        using var document = JsonDocument.Parse(await _client.GetStringAsync(address + "/api/now", TestContext.Current.CancellationToken));
        return document.RootElement.Clone();
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Address();
}
