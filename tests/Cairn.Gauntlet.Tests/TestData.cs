using Cairn.Base;

namespace Cairn.Gauntlet.Tests;

/// <summary>Probes with chosen findings.</summary>
internal static class TestData
{
    /// <summary>A probe of four sequences that start at a loss of 4 and improve by the given amounts, give or take the spread.</summary>
    public static LossScore Score(double assigned, double heldBack, double spread = 0.001)
    {
        double[] before = [4, 4, 4, 4];
        double[] After(double better) => [4 - better - spread, 4 - better + spread, 4 - better - spread, 4 - better + spread];
        return LossScore.Of(before, After(assigned), before, After(heldBack));
    }

    /// <summary>A probe of sixteen sequences that shows work by so many standard errors.</summary>
    public static LossScore Clear(double errors) => new(new PairedDifference(0.04 * Math.Sqrt(2) * errors, 0.04, 4, 16), new PairedDifference(0, 0.04, 4, 16));

    public static Observation Accepted(int uid, int samples = 10, LossScore? probe = null) => new(new Uid(uid), Rejection.None, samples, probe);

    public static Observation Refused(int uid, Rejection reason, LossScore? probe = null) => new(new Uid(uid), reason, 10, probe);

    public static PeerBook After(params IReadOnlyList<Observation>[] rounds)
    {
        var book = PeerBook.Empty;
        for (var round = 0; round < rounds.Length; round++)
        {
            book = book.Observe(new Round(round), rounds[round], RatingRules.Bounded);
        }

        return book;
    }
}
