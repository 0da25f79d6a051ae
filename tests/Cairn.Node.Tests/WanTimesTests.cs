using Cairn.Ledger;

namespace Cairn.Node.Tests;

/// <summary>What is counted of a run over the internet, and a small run without computing to count.</summary>
public sealed class WanTimesTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Stages_of_the_counted_rounds_add_up_to_the_round()
    {
        // Four rounds of 10, 14, 18 and 22 seconds; the middle two are counted.
        var teller = new List<EventLine>();
        var peer = new List<EventLine>();
        var at = 0.0;
        for (var round = 0; round < 4; round++)
        {
            teller.Add(At(at, new StageChanged(round, nameof(Stage.Commit))));
            teller.Add(At(at + 6 + round, new StageChanged(round, nameof(Stage.Reveal))));
            teller.Add(At(at + 7 + round, new StageChanged(round, nameof(Stage.Judge))));
            teller.Add(At(at + 8 + round, new StageChanged(round, nameof(Stage.Apply))));
            peer.Add(At(at + 5, Trained(round, 5)));
            peer.Add(At(at + 6, new UpdatePublished("a", round, 1000, 10, 1)));
            peer.Add(At(at + 9 + round, new RoundApplied("a", round, 1, "")));
            at += 10 + (4 * round);
        }

        var times = WanTimes.Of(teller, [("a", peer)], 4, applyDelay: 0)!;
        Assert.Equal((2, 16.0, 18.0, 1000.0), (times.Rounds, times.RoundSeconds, times.Longest, times.UpdateBytes));
        Assert.Equal(new WanStages(7.5, 1, 1, 6.5, 0), times.Stages);
        Assert.Equal(new WanPeerTimes("a", 0.25, 5, 1, 1), Assert.Single(times.Peers));
        Assert.Null(WanTimes.Of(teller.Where(line => ((StageChanged)line.Data).Round < 3), [("a", peer)], 4, applyDelay: 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Members_without_computing_exchange_real_updates_and_agree(int applyDelay)
    {
        const int Rounds = 4;
        using var folder = new TestFolder();
        WanFounding.Found(new WanRunOptions { Directory = folder["run"], Parameters = 2e6, Peers = 2, Rounds = Rounds, ComputeSeconds = 0.2, ApplyDelay = applyDelay });
        string[] names = ["peer-1", "peer-2", "validator-1"];
        var outcomes = await Task.WhenAll(names.Select(name => Task.Run(
            () => WanNode.RunAsync(new WanNodeOptions(folder["run"], name, 0.2, null, new StoreAccess()), TestContext.Current.CancellationToken))));
        Assert.All(outcomes, outcome => Assert.Equal((true, outcomes[0].BaseDigest), (outcome.Finished, outcome.BaseDigest)));
        var summary = RunSummary.Read(new RunDirectory(folder["run"]));
        Assert.All(summary.History, round => Assert.Equal(2, round.Members));
        Assert.True(summary.DigestAgreement);

        var directory = new RunDirectory(folder["run"]);
        IReadOnlyList<EventLine> EventsOf(string name) => [.. EventLog.Read(Path.Combine(directory.Node(name), "events.jsonl"))];
        var times = WanTimes.Of(EventsOf("validator-1"), [("peer-1", EventsOf("peer-1")), ("peer-2", EventsOf("peer-2"))], Rounds, applyDelay)!;
        Assert.Equal(Rounds - 2 - applyDelay, times.Rounds);
        // One value of 64 in about 8.4 bits, and the envelope.
        Assert.InRange(times.UpdateBytes * 8 / (2e6 / 64), 7, 11);
        Assert.All(times.Peers, peer => Assert.InRange(peer.Utilisation, 0.01, 1));
        Assert.All(times.Peers, peer => Assert.InRange(peer.Compute, 0.19, 10));
    }

    private static EventLine At(double seconds, RunEvent happened) => new(Begin.AddSeconds(seconds), happened);

    private static PeerTrained Trained(int round, double seconds) => new("a", round, 0, 0, 0, seconds, round == 0 ? null : 15, round == 0 ? null : 20);
}
