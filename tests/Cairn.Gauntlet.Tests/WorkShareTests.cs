namespace Cairn.Gauntlet.Tests;

/// <summary>The part of the work that probes show.</summary>
public sealed class WorkShareTests
{
    [Fact]
    public void Where_probes_are_large_one_round_tells_who_worked()
    {
        var parts = WorkShare.Of([[9], [8.5, 0, 0], [9.5, 9, 9], [0.4, 9, 9], [-1]]);
        Assert.Equal([1, 0, 0], [parts[0], parts[3], parts[4]]);
        Assert.InRange(parts[1], 0.85, 0.95);
    }

    [Fact]
    public void Half_of_the_work_is_half_a_part()
    {
        var parts = WorkShare.Of([[20], [20], [20], [20 / Math.Sqrt(2)]]);
        Assert.Equal(0.5, parts[3], 0.01);
    }

    [Fact]
    public void Where_probes_are_small_two_lucky_ones_do_not_make_the_others_idle() =>
        Assert.All(WorkShare.Of([[3.9], [3.1], [1.1], [0.6]]), part => Assert.True(double.IsNaN(part)));

    [Fact]
    public void Where_probes_are_small_the_mean_of_many_tells()
    {
        // True clearness 1.5, nearly: after eight probes 4.2 standard errors; who idles has as much as noise.
        double[] worker = [1.2, 1.9, 1.4, 1.6, 0.9, 2.2, 1.5, 1.5];
        double[] idler = [1.2, -0.9, 0.3, -0.6, 0.7, -1.1, 0.2, 0.1];
        var parts = WorkShare.Of([worker, [.. worker.Reverse()], worker, idler]);
        Assert.Equal([1, 1, 1, 0], parts);
        Assert.All(WorkShare.Of([worker[..4], worker[..4], worker[..4], idler[..4]]), part => Assert.True(double.IsNaN(part)));
    }

    [Fact]
    public void The_shortest_memory_that_tells_is_used_so_that_who_turns_is_seen_at_once()
    {
        double[] worker = [5, 5, 5, 5, 5, 5, 5, 5];
        Assert.Equal(0, WorkShare.Of([worker, worker, worker, [0, 9, 9, 9, 9, 9, 9, 9]])[3]);
    }

    [Fact]
    public void Who_was_not_probed_and_a_round_of_idlers_say_nothing()
    {
        Assert.True(double.IsNaN(WorkShare.Of([[9], [9], null, [9]])[2]));
        Assert.All(WorkShare.Of([[9], [9], [0], [0], [0]]), part => Assert.True(double.IsNaN(part)));
        Assert.Empty(WorkShare.Of([]));
    }
}
