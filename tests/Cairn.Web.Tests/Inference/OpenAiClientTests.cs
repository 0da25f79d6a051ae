using System.Diagnostics;

namespace Cairn.Web.Tests;

/// <summary>The official client of OpenAI speaks with the server. Where it is not installed the test skips with the reason; where CAIRN_REQUIRE_OPENAI is set it fails.</summary>
public sealed class OpenAiClientTests
{
    [Fact]
    public async Task The_official_client_completes_streams_is_cancelled_and_gets_faults_by_their_names()
    {
        var folder = Path.Combine(Root(), "tools/openai-client");
        var modules = Environment.GetEnvironmentVariable("CAIRN_OPENAI_CLIENT") is { Length: > 0 } given ? given : folder;
        var missing = !Directory.Exists(Path.Combine(modules, "node_modules/openai"));
        var required = Environment.GetEnvironmentVariable("CAIRN_REQUIRE_OPENAI") is { Length: > 0 };
        Assert.SkipWhen(missing && !required, "the client is not installed here: npm ci --ignore-scripts in tools/openai-client, or its folder in CAIRN_OPENAI_CLIENT");

        await using var server = await TinyServer.StartAsync(TinyServer.Usual with { Keys = ["a key"] });
        var start = new ProcessStartInfo(
            "node", ["check.mjs", "--url", server.Server.Address + "/v1", "--model", TinyServer.Name, "--key", "a key", "--modules", modules])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await error);
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx")))
        {
            folder = Path.GetDirectoryName(folder)!;
        }

        return folder;
    }
}
