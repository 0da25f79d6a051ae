using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Who trains on what in a round, cut before the round opens: with an apply delay it is trained while the round before is closed.</summary>
/// <param name="Round">The round.</param>
/// <param name="Roster">Ascending by uid.</param>
/// <param name="Pieces">The samples of each place of the roster.</param>
/// <param name="StepsBefore">Where the round stands on the schedules.</param>
internal sealed record RoundPlan(Round Round, RosterEntry[] Roster, long[][] Pieces, long StepsBefore)
{
    public int SampleCount => Pieces.Sum(piece => piece.Length);

    /// <summary>Place in the roster, or −1.</summary>
    public int PlaceOf(Uid uid) => Array.FindIndex(Roster, entry => entry.Uid == uid);

    /// <summary>The plan without some of its peers; what they had comes back in order of issue.</summary>
    public (RoundPlan Staying, long[] Returned) Without(Predicate<RosterEntry> leaves)
    {
        if (!Array.Exists(Roster, leaves))
        {
            return (this, []);
        }

        int[] stay = [.. Enumerable.Range(0, Roster.Length).Where(place => !leaves(Roster[place]))];
        long[] returned = [.. InOrderOfIssue(Roster.Length, Round).Where(place => leaves(Roster[place])).SelectMany(place => Pieces[place])];
        return (this with { Roster = [.. stay.Select(place => Roster[place])], Pieces = [.. stay.Select(place => Pieces[place])] }, returned);
    }

    /// <summary>The places of a roster in the order in which they are given samples: the first piece goes to another peer in every round.</summary>
    public static IEnumerable<int> InOrderOfIssue(int places, Round round)
    {
        for (var piece = 0; piece < places; piece++)
        {
            yield return (piece + places - (round.Number % places)) % places;
        }
    }
}
