using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>A node that has lost its state when the rounds since are no longer in the store takes part again from a checkpoint.</summary>
public sealed class CheckpointStartTests(SmallRun run)
{
    private const int Rounds = 17;
    // Settlements after rounds 4 and 9; updates are kept for 8 rounds.
    private const int StoppedAfter = 12;

    [Fact]
    public async Task A_peer_and_a_validator_without_state_begin_from_the_newest_checkpoint_that_the_ledger_names()
    {
        using var folder = new TestFolder();
        var directory = await StoppedAsync(folder);
        Forget(directory, "peer-2");
        Forget(directory, "validator-1");

        var outcome = await GoOnAsync(directory);

        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.Equal([("peer-2", 9), ("validator-1", 9)], Told<BeganFromCheckpoint>(directory).Select(told => (told.Node, told.Round)));
        Assert.Equal(Rounds, outcome.Report.Rounds);
        Assert.Equal(Rounds, outcome.Report.PerPeer.Single(peer => peer.Peer == "peer-2").Accepted);
    }

    [Fact]
    public async Task A_checkpoint_that_is_not_what_the_ledger_names_is_passed_over_for_an_older_one()
    {
        using var folder = new TestFolder();
        var directory = await StoppedAsync(folder);
        Forget(directory, "peer-1");
        TestFolder.FlipBit(Path.Combine(CheckpointFolder.Newest(directory)!, "model.safetensors"), -50);

        var outcome = await GoOnAsync(directory);

        Assert.True(outcome.Finished);
        Assert.True(outcome.Report.DigestAgreement);
        Assert.Equal(9, Assert.Single(Told<CheckpointRefused>(directory)).Round);
        Assert.Equal(4, Assert.Single(Told<BeganFromCheckpoint>(directory)).Round);
    }

    [Fact]
    public async Task Without_any_good_checkpoint_one_sentence_says_what_to_restore()
    {
        using var folder = new TestFolder();
        var directory = await StoppedAsync(folder);
        Forget(directory, "peer-1");
        Directory.Delete(directory.Checkpoints, recursive: true);
        foreach (var round in Directory.EnumerateDirectories(Path.Combine(directory.Store, "rounds")))
        {
            Directory.Delete(round, recursive: true);
        }

        var refusal = await Assert.ThrowsAsync<InputException>(() => GoOnAsync(directory));

        Assert.Contains("round 0", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_can_still_repeat_the_rounds_does_not_need_a_checkpoint()
    {
        using var folder = new TestFolder();
        var late = run.CopyOfLate(folder);
        Forget(late, "peer-2");

        await run.AssertEndsAsUndisturbedAsync(late);

        Assert.Empty(Told<BeganFromCheckpoint>(late));
    }

    private async Task<RunDirectory> StoppedAsync(TestFolder folder)
    {
        var stopped = await SmallRun.RunAsync(run.Options(folder["run"]) with { Rounds = Rounds }, StoppedAfter);
        Assert.False(stopped.Finished);
        return new RunDirectory(folder["run"]);
    }

    private Task<SwarmOutcome> GoOnAsync(RunDirectory directory) => SmallRun.RunAsync(run.Options(directory.Root) with { Rounds = null, Resume = true });

    private static void Forget(RunDirectory directory, string node)
    {
        foreach (var state in Directory.EnumerateFiles(directory.Node(node), "state-*.bin"))
        {
            File.Delete(state);
        }
    }

    private static IEnumerable<T> Told<T>(RunDirectory directory) => EventLog.Read(directory.Events).Select(line => line.Data).OfType<T>();
}
