using System.Net.Http.Json;
using System.Text.Json;
using Cairn.Ledger;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>Serving as a user starts it.</summary>
public sealed class ServeTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_run_is_followed_from_checkpoint_to_checkpoint()
    {
        const int Rounds = 12;
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals here");
        using (var swarm = CairnProcess.Start(Runs.Arguments(_folder, "run", Rounds, "--no-dashboard")))
        {
            while (!HasSettled(new RunDirectory(_folder["run"])) && !swarm.HasExited)
            {
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            // Until it stops it may settle once more, but not to the end.
            swarm.Interrupt();
            await swarm.EndAsync();
        }

        using var serve = CairnProcess.Start("serve", "--follow", _folder["run"], "--port", "0", "--context", "48", "--precision", "int8", "--threads", "1");
        _client.BaseAddress = new Uri(await DashboardTests.AddressAsync(serve));
        var before = await VersionAsync();
        Assert.Contains("(on this machine alone)", serve.Output, StringComparison.Ordinal);
        Assert.Contains("parameters in", serve.Output, StringComparison.Ordinal);
        await Runs.FinishAsync(_folder, "run", Rounds);
        Assert.NotEqual($"{Rounds - 1:D6}", before);
        while (await VersionAsync() != $"{Rounds - 1:D6}")
        {
            Assert.False(serve.HasExited, serve.Output + serve.Errors);
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }

        using var answer = await _client.PostAsJsonAsync("/v1/completions", new { model = "run", prompt = "The", max_tokens = 4 }, TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode);
        serve.Interrupt();
        Assert.Equal((0, ""), (await serve.EndAsync(), serve.Errors));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("\n")]
    public async Task A_blank_key_in_the_environment_is_refused_before_anybody_is_let_in(string key)
    {
        using var serve = CairnProcess.Start(new Dictionary<string, string> { ["CAIRN_API_KEY"] = key }, "serve", "--model", _folder["nothing"], "--port", "0");
        Assert.Equal(ExitCode.BadInput, await serve.EndAsync());
        Assert.Contains("CAIRN_API_KEY is set and blank", serve.Errors, StringComparison.Ordinal);
    }

    // By the ledger: the files of a checkpoint are there a little before the validators have said that they are.
    private static bool HasSettled(RunDirectory run)
    {
        if (!run.HoldsRun)
        {
            return false;
        }

        using var ledger = EmbeddedLedger.Open(run.Ledger, readOnly: true);
        return LedgerHistory.Replay(ledger).State.LatestCheckpoint is not null;
    }

    private async Task<string> VersionAsync() => (await _client.GetFromJsonAsync<JsonElement>("/v1/models", TestContext.Current.CancellationToken))
        .GetProperty("data")[0].GetProperty("system_fingerprint").GetString()!;
}
