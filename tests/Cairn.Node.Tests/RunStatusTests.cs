namespace Cairn.Node.Tests;

public sealed class RunStatusTests(SmallRun run)
{
    [Fact]
    public void A_node_whose_status_file_is_damaged_is_named_and_does_not_vanish()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        File.WriteAllText(Path.Combine(half.Node("peer-1"), NodeStatus.FileName), """{"name": "peer-1", "ro""");

        var status = RunStatus.Read(half, TimeProvider.System);

        Assert.Equal(["peer-1"], status.Unreadable);
        Assert.DoesNotContain(status.Nodes, node => node.Status.Name == "peer-1");
    }

    [Fact]
    public void A_node_runs_where_a_process_has_it_or_the_whole_run()
    {
        using var folder = new TestFolder();
        var half = run.CopyOfHalf(folder);
        Assert.False(half.IsRunning("peer-1"));
        using (half.Lock())
        {
            Assert.True(half.IsRunning("peer-1"));
        }

        using (half.LockNode("peer-1"))
        {
            Assert.True(half.IsRunning("peer-1"));
            Assert.False(half.IsRunning("peer-2"));
        }
    }
}
