using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>A small run with apply delay 1, made once for its tests: whole in one folder, stopped in the middle in another.</summary>
public sealed class DelayedRun : IAsyncLifetime
{
    private readonly TestFolder _folder = new();

    /// <summary>How the undisturbed run ended.</summary>
    public SwarmOutcome Undisturbed { get; private set; } = null!;

    internal RunDirectory Whole => new(_folder["whole"]);

    public async ValueTask InitializeAsync()
    {
        TestCorpus.Write(_folder["corpus.txt"]);
        Undisturbed = await SmallRun.RunAsync(Options(Whole.Root));
        Assert.False((await SmallRun.RunAsync(Options(_folder["half"]), stopAfter: 3)).Finished);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    internal SwarmOptions Options(string directory) => new()
    {
        Directory = directory,
        Peers = 2,
        Preset = "pico",
        Rounds = 7,
        Data = [_folder["corpus.txt"]],
        Seed = 5,
        Threads = 2,
        ApplyDelay = 1,
    };

    internal RunDirectory CopyOfHalf(TestFolder folder)
    {
        TestFolder.Copy(_folder["half"], folder["run"]);
        return new RunDirectory(folder["run"]);
    }

    /// <summary>Goes on with a run and finds that it ends exactly as the undisturbed one.</summary>
    internal async Task AssertEndsAsUndisturbedAsync(RunDirectory run)
    {
        var outcome = await SmallRun.RunAsync(Options(run.Root) with { Resume = true });
        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        AssertSame(outcome);
    }

    internal void AssertSame(SwarmOutcome outcome)
    {
        Assert.Equal(Undisturbed.Report.BaseDigest, outcome.Report.BaseDigest);
        Assert.Equal(Undisturbed.Report.PerPeer, outcome.Report.PerPeer);
        Assert.Equal(Undisturbed.Report.BytesPerUpdate, outcome.Report.BytesPerUpdate);
        Assert.True(outcome.Report.DigestAgreement);
    }
}
