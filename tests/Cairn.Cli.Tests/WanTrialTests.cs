using System.Text.Json;
using Cairn.Exchange.Tests;

namespace Cairn.Cli.Tests;

/// <summary>Processes behind lines of their own, where this machine can make such lines.</summary>
public sealed class WanTrialTests(S3Server server)
{
    [Fact]
    public async Task A_run_behind_real_lines_is_measured_and_leaves_nothing_behind()
    {
        server.SkipIfMissing();
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "lines are made of network namespaces, which only root may create");
        Assert.SkipUnless(File.Exists("/usr/sbin/tc") || File.Exists("/sbin/tc"), "tc is not here");
        var before = Spaces();
        using var process = CairnProcess.Start(
            "lab", "wan", "--measure", "--network-only", "--parameters", "2e6", "--peers", "2", "--compute", "1", "--rounds", "18", "--delay", "20", "--joiner", "--json");
        var code = await process.EndAsync();
        Assert.True(code == 0, process.Errors);
        using var json = JsonDocument.Parse(process.Output.Trim());
        var (measured, bound) = (json.RootElement.GetProperty("measured"), json.RootElement.GetProperty("bound"));
        Assert.Equal(16, measured.GetProperty("rounds").GetInt32());
        // No line is faster than itself.
        Assert.True(measured.GetProperty("roundSeconds").GetDouble() > bound.GetProperty("least").GetDouble());
        Assert.Empty(Spaces().Except(before));

        // Whoever joined had the right checkpoint, and saw through the store that lies.
        var joiner = json.RootElement.GetProperty("joiner");
        Assert.Contains("what the digest names; bucket cairn-wan under peer-2", joiner.GetProperty("said").GetString(), StringComparison.Ordinal);
        Assert.InRange(joiner.GetProperty("besideSeconds").GetDouble(), 1, 60);
    }

    [Fact]
    public async Task Whoever_may_not_make_a_line_is_told_so()
    {
        Assert.SkipWhen(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "this account may");
        using var process = CairnProcess.Start("lab", "wan", "--measure");
        Assert.Equal(ExitCode.BadInput, await process.EndAsync());
        Assert.Contains("network namespaces", process.Errors, StringComparison.Ordinal);
    }

    private static string[] Spaces() => Directory.Exists("/run/netns") ? Directory.GetFiles("/run/netns", "cairn-wan-*") : [];
}
