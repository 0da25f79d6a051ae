using Cairn.Base;

namespace Cairn.Node.Tests;

/// <summary>A run that was stopped goes on exactly where it stopped, also from what a crash or a bad disk left of it, or says in one sentence why not.</summary>
public sealed class ResumeTests(SmallRun run)
{
    [Fact]
    public async Task A_stopped_run_ends_as_if_it_had_not_been_stopped()
    {
        using var folder = new TestFolder();
        await run.AssertEndsAsUndisturbedAsync(run.CopyOfHalf(folder));
    }

    [Fact]
    public async Task A_finished_run_resumes_to_the_same_end()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(run.WholeFolder, folder["run"]);
        await run.AssertEndsAsUndisturbedAsync(new RunDirectory(folder["run"]));
    }

    [Fact]
    public async Task A_run_may_be_stopped_before_each_of_its_rounds()
    {
        using var folder = new TestFolder();
        for (var round = -1; round < 6; round++)
        {
            var stopped = await SmallRun.RunAsync(run.Options(folder["run"]) with { Resume = round >= 0 }, stopAfter: round);
            Assert.False(stopped.Finished);
        }

        await run.AssertEndsAsUndisturbedAsync(new RunDirectory(folder["run"]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_run_may_be_stopped_at_any_instant(ulong seed)
    {
        using var folder = new TestFolder();
        var random = new SeededRandom(seed, "stops");
        for (var life = 0; life < 9; life++)
        {
            var events = 2 + random.NextBelow(50);
            var damage = random.NextBelow(3);
            await SmallRun.RunAsync(run.Options(folder["run"]) with { Resume = life > 0 }, _ => Interlocked.Decrement(ref events) < 0);
            if (damage == 0)
            {
                // What a crash may cost on top: the newest state of a node.
                var node = new[] { "peer-1", "peer-2", "validator-1" }[random.NextBelow(3)];
                var directory = new RunDirectory(folder["run"]);
                Damage(WrongState.PathOf(directory, node, WrongState.Newest(directory, node)), "cut");
            }
        }

        await run.AssertEndsAsUndisturbedAsync(new RunDirectory(folder["run"]));
    }

    [Theory]
    [InlineData("peer-1", "cut")]
    [InlineData("peer-2", "flipped")]
    [InlineData("validator-1", "flipped")]
    [InlineData("validator-1", "gone")]
    public async Task A_damaged_newest_state_falls_back_to_the_older_one_and_repeats_its_round(string node, string damage)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        Damage(WrongState.PathOf(half, node, WrongState.Newest(half, node)), damage);
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task All_nodes_may_fall_back_at_once()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        foreach (var node in new[] { "peer-1", "peer-2", "validator-1" })
        {
            Damage(WrongState.PathOf(half, node, WrongState.Newest(half, node)), "cut");
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData("peer-1")]
    [InlineData("validator-1")]
    public async Task Without_any_intact_state_a_node_begins_again_from_the_seed(string node)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        Damage(WrongState.PathOf(half, node, 0), "flipped");
        Damage(WrongState.PathOf(half, node, 1), "gone");
        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task The_state_of_the_last_settlement_outlives_both_of_the_newest()
    {
        using var folder = new TestFolder();
        var late = run.CopyOfLate(folder);
        foreach (var node in new[] { "peer-1", "peer-2", "validator-1" })
        {
            Damage(WrongState.PathOf(late, node, 0), "cut");
            Damage(WrongState.PathOf(late, node, 1), "flipped");
        }

        await run.AssertEndsAsUndisturbedAsync(late);
    }

    [Theory]
    [InlineData("peer-1")]
    [InlineData("validator-1")]
    public async Task With_all_states_damaged_the_run_is_refused_and_nothing_is_lost(string node)
    {
        using var folder = new TestFolder();
        var late = run.CopyOfLate(folder);
        var paths = Directory.GetFiles(late.Node(node), "state-*.bin");
        Assert.Equal(3, paths.Length);
        var kept = paths.Select(File.ReadAllBytes).ToList();
        Array.ForEach(paths, path => Damage(path, "flipped"));
        Assert.Contains(late.Node(node), await run.RefusalAsync(late), StringComparison.Ordinal);
        paths.Zip(kept).ToList().ForEach(pair => File.WriteAllBytes(pair.First, pair.Second));
        await run.AssertEndsAsUndisturbedAsync(late);
    }

    [Theory]
    [InlineData("-opening")]
    [InlineData("-commit")]
    [InlineData("-verdict")]
    public async Task A_damaged_outbox_of_past_rounds_does_no_harm(string kind)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        foreach (var path in Directory.EnumerateFiles(half.Node(""), $"000003{kind}", SearchOption.AllDirectories))
        {
            TestFolder.FlipBit(path, 70);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(150)]
    [InlineData(400)]
    public async Task A_torn_tail_of_the_ledger_heals_and_what_was_in_it_is_said_again(int bytes)
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        using (var file = new FileStream(half.Ledger, FileMode.Open))
        {
            file.SetLength(file.Length - bytes);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    [Fact]
    public async Task Space_that_a_power_cut_left_behind_the_ledger_heals()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        using (var file = new FileStream(half.Ledger, FileMode.Open))
        {
            file.SetLength(file.Length + 100);
        }

        await run.AssertEndsAsUndisturbedAsync(half);
    }

    private static void Damage(string path, string damage)
    {
        switch (damage)
        {
            case "cut":
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..5000]);
                break;
            case "flipped":
                TestFolder.FlipBit(path, 5000);
                break;
            default:
                File.Delete(path);
                break;
        }
    }
}
