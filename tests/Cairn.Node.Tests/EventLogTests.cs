using Cairn.Base;

namespace Cairn.Node.Tests;

public sealed class EventLogTests
{
    private static readonly StageChanged _one = new(1, "Commit");
    private static readonly RunFinished _two = new(2, true, "ab");

    [Fact]
    public void A_torn_last_line_is_cut_off_and_a_damaged_one_passed_over()
    {
        using var folder = new TestFolder();
        Write(folder["log"], _one);
        File.AppendAllText(folder["log"], "{\"time\":\"2026-01-0\n{\"time\":\"2026");
        Write(folder["log"], _two);
        Assert.Equal([_one, _two], EventLog.Read(folder["log"]).Select(line => line.Data));
        Assert.Equal(3, File.ReadAllLines(folder["log"]).Length);
    }

    [Fact]
    public void Progress_within_a_round_is_shown_but_not_written()
    {
        using var folder = new TestFolder();
        var shown = new List<RunEvent>();
        using (var log = new EventLog(folder["log"], shown.Add))
        {
            log.Tell(new PeerTraining("peer-1", 0, 1, 10));
            log.Tell(_one);
        }

        Assert.Equal(2, shown.Count);
        Assert.Single(EventLog.Read(folder["log"]));
    }

    [Fact]
    public void Numbers_that_are_not_finite_can_be_told()
    {
        using var folder = new TestFolder();
        var told = new PeerTrained("peer-1", 0, double.NaN, double.PositiveInfinity, 5, 0.5);
        Write(folder["log"], told);
        Assert.Equal(told, EventLog.Read(folder["log"]).Single().Data);
    }

    [Fact]
    public void A_log_on_a_full_device_is_refused_in_one_sentence()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no device that is always full here");
        using var folder = new TestFolder();
        File.CreateSymbolicLink(folder["log"], "/dev/full");
        var refusal = Assert.Throws<InputException>(() => Write(folder["log"], _one));
        Assert.Contains("log", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static void Write(string path, RunEvent told)
    {
        using var log = new EventLog(path, null);
        log.Tell(told);
    }
}
