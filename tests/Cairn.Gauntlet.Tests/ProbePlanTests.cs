using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

public class ProbePlanTests
{
    private static readonly IReadOnlyList<Uid> Ten = [.. Enumerable.Range(0, 10).Select(i => new Uid(i))];

    [Fact]
    public void The_beacon_alone_decides_and_the_chosen_are_ascending_and_different()
    {
        var beacon = Digest.Of("beacon"u8);
        var chosen = ProbePlan.Choose(beacon, Ten, 4);
        Assert.Equal(chosen, ProbePlan.Choose(beacon, Ten, 4));
        Assert.Equal(chosen.Distinct().Order(), chosen);
        Assert.Equal(4, chosen.Count);
        Assert.Contains(Enumerable.Range(0, 20), i => !ProbePlan.Choose(Digest.Of([(byte)i]), Ten, 4).SequenceEqual(chosen));
    }

    [Fact]
    public void The_choice_of_a_known_beacon_never_changes() =>
        Assert.Equal([1, 5, 6, 8], ProbePlan.Choose(Digest.Of("beacon"u8), Ten, 4).Select(uid => uid.Value));

    [Fact]
    public void More_than_there_are_gives_all_and_none_gives_none()
    {
        Assert.Equal(Ten, ProbePlan.Choose(Digest.Zero, Ten, 99));
        Assert.Empty(ProbePlan.Choose(Digest.Zero, Ten, 0));
        Assert.Empty(ProbePlan.Choose(Digest.Zero, [], 5));
    }

    [Fact]
    public void Those_on_trial_are_drawn_first_but_never_take_more_than_half_from_the_others()
    {
        var onTrial = new HashSet<Uid> { new(2), new(6), new(7) };
        for (var i = 0; i < 50; i++)
        {
            var beacon = Digest.Of([(byte)i]);
            Assert.Equal(2, ProbePlan.Choose(beacon, Ten, 4, onTrial).Count(onTrial.Contains));
            Assert.Equal(3, ProbePlan.Choose(beacon, Ten, 8, onTrial).Count(onTrial.Contains));
            Assert.Subset(onTrial, ProbePlan.Choose(beacon, Ten, 1, onTrial).ToHashSet());
            Assert.Equal(3, ProbePlan.Choose(beacon, [.. onTrial.Order(), new(8)], 4, onTrial).Count(onTrial.Contains));
        }
    }

    [Fact]
    public void Everybody_is_drawn_as_often_as_everybody_else()
    {
        var counts = new int[10];
        for (var i = 0; i < 4000; i++)
        {
            foreach (var uid in ProbePlan.Choose(Digest.Of(BitConverter.GetBytes(i)), Ten, 3))
            {
                counts[uid.Value]++;
            }
        }

        Assert.All(counts, count => Assert.InRange(count, 1080, 1320));
    }
}
