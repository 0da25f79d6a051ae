namespace Cairn.Node.Tests;

/// <summary>Rule 7 of the round: a node whose base differs recomputes; another answer heals it, the same answer halts it.</summary>
public sealed class DisagreementTests(SmallRun run)
{
    [Theory]
    [InlineData("peer-1")]
    [InlineData("peer-2")]
    public async Task A_peer_whose_base_went_wrong_after_the_round_goes_back_and_ends_with_the_right_one(string node)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        WrongState.FlipBitOfBase(half, node, WrongState.Newest(half, node));
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task A_validator_whose_base_went_wrong_after_the_round_goes_back_too()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        WrongState.FlipBitOfBase(half, "validator-1", WrongState.Newest(half, "validator-1"));
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_that_cannot_compute_the_quorums_base_halts_and_the_others_are_unharmed(bool withoutOlderState)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        var newest = WrongState.Newest(half, "peer-1");
        var states = Enumerable.Range(0, 2).Select(slot => File.ReadAllBytes(WrongState.PathOf(half, "peer-1", slot))).ToList();
        WrongState.FlipBitOfBase(half, "peer-1", newest);
        if (withoutOlderState)
        {
            File.Delete(WrongState.PathOf(half, "peer-1", 1 - newest));
        }
        else
        {
            WrongState.FlipBitOfBase(half, "peer-1", 1 - newest);
        }

        var outcome = await run.ResumeAsync(half);
        Assert.False(outcome.Finished);
        var halted = Assert.Single(outcome.Halted);
        Assert.Equal("peer-1", halted.Node);
        Assert.NotEqual(halted.Own, halted.Quorum);
        Assert.Contains(EventLog.Read(half.Events), line => line.Data is ReplicaHalted);

        // With its state restored, it all goes on: nobody took over the wrong bits.
        for (var slot = 0; slot < 2; slot++)
        {
            File.WriteAllBytes(WrongState.PathOf(half, "peer-1", slot), states[slot]);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }
}
