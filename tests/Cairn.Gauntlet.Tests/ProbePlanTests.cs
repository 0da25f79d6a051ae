using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class ProbePlanTests
{
    private static readonly IReadOnlyList<Uid> Ten = [.. Enumerable.Range(0, 10).Select(i => new Uid(i))];

    [Fact]
    public void The_beacon_alone_decides_and_the_chosen_are_ascending_and_different()
    {
        var beacon = Digest.Of("beacon"u8);
        var chosen = Choose(PeerBook.Empty, 3, beacon, 4);
        Assert.Equal(chosen, Choose(PeerBook.Empty, 3, beacon, 4));
        Assert.Equal(chosen.Distinct().Order(), chosen);
        Assert.Equal(4, chosen.Count);
        Assert.Contains(Enumerable.Range(0, 20), i => !Choose(PeerBook.Empty, 3, Digest.Of([(byte)i]), 4).SequenceEqual(chosen));
    }

    [Fact]
    public void The_choice_of_a_known_beacon_never_changes() =>
        Assert.Equal([1, 3, 5, 8], Choose(PeerBook.Empty, 3, Digest.Of("beacon"u8), 4).Select(uid => uid.Value));

    [Fact]
    public void More_than_there_are_gives_all_and_none_gives_none()
    {
        Assert.Equal(Ten, Choose(PeerBook.Empty, 0, Digest.Zero, 99));
        Assert.Empty(Choose(PeerBook.Empty, 0, Digest.Zero, 0));
        Assert.Empty(ProbePlan.Choose(PeerBook.Empty, new Round(0), Digest.Zero, [], 5));
    }

    [Fact]
    public void Those_on_trial_are_drawn_first()
    {
        var onTrial = new HashSet<Uid> { new(2), new(6) };
        for (var i = 0; i < 50; i++)
        {
            var beacon = Digest.Of([(byte)i]);
            Assert.Subset(ProbePlan.Choose(PeerBook.Empty, new Round(3), beacon, Ten, 3, onTrial).ToHashSet(), onTrial);
            Assert.Subset(onTrial, ProbePlan.Choose(PeerBook.Empty, new Round(3), beacon, Ten, 1, onTrial).ToHashSet());
        }
    }

    [Fact]
    public void Who_waited_longer_is_probed_more_often()
    {
        // Uid 0 was probed a round ago, all others 50 rounds ago.
        var probe = TestData.Score(0.2, 0.1);
        var book = PeerBook.Empty.Observe(new Round(50), [.. Ten.Select(u => TestData.Accepted(u.Value, probe: probe))], RatingRules.Bounded);
        book = book.Observe(new Round(99), [TestData.Accepted(0, probe: probe)], RatingRules.Bounded);
        var counts = new int[10];
        for (var i = 0; i < 2000; i++)
        {
            foreach (var uid in Choose(book, 100, Digest.Of(BitConverter.GetBytes(i)), 1))
            {
                counts[uid.Value]++;
            }
        }

        Assert.InRange(counts[0], 0, 20);
        Assert.All(counts.Skip(1), c => Assert.InRange(c, 170, 280));
    }

    private static IReadOnlyList<Uid> Choose(PeerBook book, int round, Digest beacon, int count) =>
        ProbePlan.Choose(book, new Round(round), beacon, Ten, count);
}
