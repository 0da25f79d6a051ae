using System.Net.Http.Json;
using System.Text.Json;
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
            while (CheckpointFolder.Newest(new RunDirectory(_folder["run"])) is null && !swarm.HasExited)
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
    [InlineData("give one of them", "--model", "a", "--follow", "b")]
    [InlineData("--precision", "--model", "{model}", "--precision", "f8")]
    [InlineData("--parallel is 0", "--parallel", "0", "--port", "99999")]
    [InlineData("--port is 99999", "--parallel", "0", "--port", "99999")]
    [InlineData("--host", "--host", "everywhere")]
    [InlineData("cannot be read", "--model", "nothing")]
    [InlineData("key file", "--api-key-file", "nothing")]
    public async Task What_cannot_be_served_is_refused_in_one_line(string word, params string[] arguments)
    {
        var model = _folder["model"];
        Cairn.Bench.StressModel.Write(model);
        var refusal = (await Captured.RunAsync(["serve", .. arguments.Select(argument => argument == "{model}" ? model : argument)])).AssertRefused(ExitCode.BadInput);
        Assert.Contains(word, refusal, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_keys_that_others_can_read_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            // No modes of files there.
            return;
        }

        await File.WriteAllTextAsync(_folder["keys"], "a\nb\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(_folder["keys"], UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", (await Captured.RunAsync("serve", "--api-key-file", _folder["keys"])).AssertRefused(ExitCode.BadInput), StringComparison.Ordinal);
    }

    private async Task<string> VersionAsync() => (await _client.GetFromJsonAsync<JsonElement>("/v1/models", TestContext.Current.CancellationToken))
        .GetProperty("data")[0].GetProperty("system_fingerprint").GetString()!;
}
