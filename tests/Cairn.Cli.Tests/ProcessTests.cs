using System.Runtime.Intrinsics.X86;
using System.Text.Json;
using Cairn.Base;
using Cairn.Node;
using Cairn.Node.Tests;

namespace Cairn.Cli.Tests;

/// <summary>What only whole processes show: fewer instruction sets, kills, Ctrl-C, two of them in one folder.</summary>
public sealed class ProcessTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", 3)]
    [InlineData("DOTNET_EnableAVX2", 1)] // takes fused multiply-add along, which is then computed step by step: slow
    public async Task Fewer_instruction_sets_give_the_same_base(string switchedOff, int rounds)
    {
        Assert.SkipUnless(Avx512F.IsSupported || switchedOff != "DOTNET_EnableAVX512", "this processor has no AVX-512 to switch off");
        Assert.SkipUnless(Avx2.IsSupported, "this processor has no AVX2 to switch off");
        using var folder = new TestFolder();
        var fewer = await Runs.FinishAsync(folder, "fewer", rounds, new Dictionary<string, string> { [switchedOff] = "0" });
        Assert.Equal(Runs.Comparable(await Runs.UndisturbedAsync(rounds)), Runs.Comparable(fewer));
    }

    /// <summary>CAIRN_KILLS names another number of instants than five.</summary>
    [Fact]
    public async Task Kills_at_random_instants_change_nothing()
    {
        var kills = int.TryParse(Environment.GetEnvironmentVariable("CAIRN_KILLS"), out var named) ? named : 5;
        var rounds = Math.Max(10, 2 * kills);
        using var folder = new TestFolder();
        var instants = new SeededRandom((ulong)kills, "kills");
        for (var i = 0; i < kills; i++)
        {
            // Most instants are counted in lines of the event log, so that each life of the run gets somewhere; some are plain times, to hit preparation and start.
            var (lines, milliseconds) = i % 4 == 0 ? (0, instants.NextBelow(1500)) : (1 + instants.NextBelow(20), instants.NextBelow(30));
            Assert.True(await KillAsync(folder, rounds, lines, milliseconds), $"the run ended before kill {i + 1}");
            AssertWholeLines(new RunDirectory(folder["killed"]).Events, allButLast: true);
        }

        var killed = await Runs.FinishAsync(folder, "killed", rounds);
        Assert.Equal(Runs.Comparable(await Runs.UndisturbedAsync(rounds)), Runs.Comparable(killed));
        Assert.True(killed.DigestAgreement);
        AssertWholeLines(new RunDirectory(folder["killed"]).Events, allButLast: false);
    }

    [Fact]
    public async Task Ctrl_C_stops_cleanly_and_the_run_goes_on()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals here");
        using var folder = new TestFolder();
        using (var process = CairnProcess.Start(Runs.Arguments(folder, "stopped", 10)))
        {
            await UntilAsync(() => process.HasExited || process.Output.Contains("round    2/10", StringComparison.Ordinal));
            process.Interrupt();
            Assert.Equal(ExitCode.Interrupted, await process.EndAsync());
            Assert.Equal("", process.Errors);
            Assert.Contains("--resume", process.Output, StringComparison.Ordinal);
        }

        Assert.InRange(Runs.ReadReport(folder, "stopped").Rounds, 2, 9);
        Assert.Equal(Runs.Comparable(await Runs.UndisturbedAsync(10)), Runs.Comparable(await Runs.FinishAsync(folder, "stopped", 10)));
    }

    [Fact]
    public async Task Ctrl_C_stops_a_single_simulation()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no signals here");
        using var folder = new TestFolder();
        using var process = CairnProcess.Start("simulate", "--peers", "1000", "--validators", "16", "--rounds", "200", "--faults", "none", "--log", folder["log"]);
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        process.Interrupt();
        Assert.Equal(ExitCode.Interrupted, await process.EndAsync());
        Assert.False(File.Exists(folder["log"]));
    }

    [Fact]
    public async Task A_second_process_on_the_same_folder_is_refused_and_the_first_goes_on()
    {
        using var folder = new TestFolder();
        using var first = CairnProcess.Start(Runs.Arguments(folder, "run", 12));
        await UntilAsync(() => first.HasExited || new RunDirectory(folder["run"]).HoldsRun);
        using var second = CairnProcess.Start(Runs.Arguments(folder, "run", 12));
        Assert.Equal(ExitCode.BadInput, await second.EndAsync());
        Assert.Contains("another cairn process", second.Errors, StringComparison.Ordinal);
        Assert.Single(second.Errors.Trim().Split('\n'));
        Assert.Equal(0, await first.EndAsync());
    }

    [Fact]
    public async Task A_wrong_replica_ends_the_command_with_its_own_exit_code()
    {
        using var folder = new TestFolder();
        using (var process = CairnProcess.Start(Runs.Arguments(folder, "run", 30)))
        {
            await UntilAsync(() => process.HasExited || process.Output.Contains("round    3/30", StringComparison.Ordinal));
            process.Kill();
        }

        var run = new RunDirectory(folder["run"]);
        var newest = WrongState.Newest(run, "peer-2");
        WrongState.FlipBitOfBase(run, "peer-2", newest);
        File.Delete(WrongState.PathOf(run, "peer-2", 1 - newest));
        using var resumed = CairnProcess.Start(Runs.Arguments(folder, "run", 30));
        Assert.Equal(ExitCode.Disagreement, await resumed.EndAsync());
        Assert.Contains("peer-2 halted", resumed.Errors, StringComparison.Ordinal);
        Assert.Single(resumed.Errors.Trim().Split('\n'));
    }

    private static async Task<bool> KillAsync(TestFolder folder, int rounds, int lines, int milliseconds)
    {
        var events = new RunDirectory(folder["killed"]).Events;
        var wanted = CountLines(events) + lines;
        using var process = CairnProcess.Start(Runs.Arguments(folder, "killed", rounds));
        await UntilAsync(() => process.HasExited || CountLines(events) >= wanted);
        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        if (process.HasExited)
        {
            return false;
        }

        process.Kill();
        return true;
    }

    private static async Task UntilAsync(Func<bool> happened)
    {
        while (!happened())
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private static int CountLines(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        var count = 0;
        while (reader.ReadLine() is not null)
        {
            count++;
        }

        return count;
    }

    private static void AssertWholeLines(string path, bool allButLast)
    {
        var lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        foreach (var line in allButLast ? lines.SkipLast(1) : lines)
        {
            using var json = JsonDocument.Parse(line);
            Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
        }
    }
}
