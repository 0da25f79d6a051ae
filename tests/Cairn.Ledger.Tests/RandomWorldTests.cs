using Cairn.Base;

namespace Cairn.Ledger.Tests;

/// <summary>Whole runs with absent, late and lying members, drawn from a seed; what must hold is checked all along.</summary>
public sealed class RandomWorldTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(5, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    [InlineData(5, 1)]
    public void Every_run_finishes_keeps_its_accounts_and_replays_to_the_same_state(ulong seed, int applyDelay)
    {
        var run = new RandomRun(seed, applyDelay);
        run.Play();
        Assert.Equal(Stage.Finished, run.World.State.Stage);
        var replay = run.World.Replay();
        Assert.Equal(run.World.State.StateDigest(), replay.StateDigest());
        Assert.Equal(run.World.State.Tip, replay.Tip);

        // The same operations in other blocks make another chain, but the same state.
        var regrouped = LedgerState.FromGenesis(run.World.Genesis);
        foreach (var group in run.World.Blocks.SelectMany(block => block.Operations).Chunk(7))
        {
            regrouped.Apply(Block.Create(regrouped.Height + 1, regrouped.Tip, group), verifySignatures: false);
        }

        Assert.Equal(run.World.State.StateDigest(), regrouped.StateDigest());
        Assert.NotEqual(run.World.State.Tip, regrouped.Tip);
        Assert.True(run.Empty > 0 && run.World.State.StepsDone > 0 && run.Refused > 0, "the world was too tame to prove anything");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    public void A_run_that_anneals_accounts_for_every_sample_of_both_parts(ulong seed, int applyDelay)
    {
        var run = new RandomRun(seed, applyDelay, change: rules => rules with { SampleCount = rules.SampleCount + 21, AnnealSamples = 21, AnnealFrom = 5 });
        run.Play();
        var (state, rules) = (run.World.State, run.World.Rules);
        Assert.Equal(state.StateDigest(), run.World.Replay().StateDigest());
        var accounted = run.Trained.ToArray();
        foreach (var id in state.WaitingSamples)
        {
            accounted[id]++;
        }

        foreach (var (part, place) in rules.SampleParts().Select((part, place) => (part, place)))
        {
            var passed = new long[rules.SampleCount];
            for (var at = 0L; at < state.SampleCursorOf(place); at++)
            {
                passed[part.First + part.OrderOf(rules.Seed, at / part.Count).At(at % part.Count)]++;
            }

            Assert.Equal(passed[(int)part.First..(int)(part.First + part.Count)], accounted[(int)part.First..(int)(part.First + part.Count)]);
        }

        Assert.True(state.SampleCursorOf(1) > 21, "the annealing part was not begun a second time: the world was too tame to prove anything");
    }
}
