using System.Net;
using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

/// <summary>A past run as if it went on now.</summary>
public sealed class ReplayTests(FinishedRun run)
{
    [Fact]
    public async Task A_replay_goes_through_every_stage_at_its_time_and_ends_where_the_run_ended()
    {
        using var reader = RunReader.Open(run.Sources, speed: 200);
        var seen = new List<(int Round, string Stage)>();
        DateTimeOffset last = default;
        await new RunFollower(reader, TimeProvider.System, () =>
        {
            var now = RunPage.Now(reader.Book);
            Assert.True(now.Time >= last, "the time of the run goes forward");
            last = now.Time;
            if (seen.Count == 0 || seen[^1] != (now.Round, now.Stage))
            {
                seen.Add((now.Round, now.Stage));
            }
        }).ReplayAsync(200, TestContext.Current.CancellationToken);
        Assert.Null(reader.Book.Failure);
        var stages = Enumerable.Range(0, FinishedRun.Rounds).SelectMany(round => ((string[])["Commit", "Reveal", "Judge", "Apply"]).Select(stage => (round, stage)));
        Assert.Equal(stages, seen.Where(at => at.Stage is not ("Settle" or "Finished")));
        using var whole = BookTests.ReadAll(run.Sources);
        var (replayed, read) = (RunPage.Now(reader.Book), RunPage.Now(whole.Book));
        Assert.Equal((read.Height, read.Tip, read.Tokens, read.CurvePoints, true), (replayed.Height, replayed.Tip, replayed.Tokens, replayed.CurvePoints, replayed.Finished));
    }

    [Fact]
    public async Task Without_a_log_a_replay_shows_how_the_run_ended_and_says_why()
    {
        using var folder = new TestFolder();
        var copy = run.Copy(folder);
        FinishedRun.DropLogs(copy);
        using var reader = RunReader.Open(FinishedRun.SourcesOf(copy), speed: 20);
        await new RunFollower(reader, TimeProvider.System, () => { }).ReplayAsync(20, TestContext.Current.CancellationToken);
        var now = RunPage.Now(reader.Book);
        Assert.True(now.Finished);
        Assert.Contains("no log", Assert.Single(now.Notes).What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pages_of_a_replay_say_how_fast_it_is()
    {
        await using var dashboard = await Dashboard.StartAsync(run.Sources, new DashboardOptions(IPAddress.Loopback, 0, ReplaySpeed: 20));
        using var client = new HttpClient();
        Assert.Contains("\"speed\":20", await client.GetStringAsync(dashboard.Address + "/api/run", TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
