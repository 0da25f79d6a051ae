using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What the ledger says of one peer in the round that is judged.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Name">Its name.</param>
/// <param name="Key">What it signs with.</param>
/// <param name="Newcomer">Not yet admitted without a probe.</param>
/// <param name="Opening">What it opened, or null.</param>
/// <param name="CommitOrder">Its place in the order of commits.</param>
/// <param name="Samples">What it was assigned.</param>
internal sealed record PeerCase(Uid Uid, string Name, PublicKey Key, bool Newcomer, Opening? Opening, int CommitOrder, long[] Samples);

/// <summary>A copy of what the ledger says of a round, for work that outlasts the ledger's state.</summary>
/// <param name="Peers">Roster order.</param>
/// <param name="Beacon">The round's randomness.</param>
/// <param name="Part">On which part of the samples the round trains.</param>
/// <param name="PaidBefore">Whether the ledger paid in the round before.</param>
internal sealed record RoundCase(IReadOnlyList<PeerCase> Peers, Digest Beacon, SamplePart Part, bool PaidBefore)
{
    /// <summary>Copies the current round; its stage is Judge.</summary>
    public static RoundCase Of(LedgerState ledger)
    {
        var members = ledger.Members.ToDictionary(m => m.Uid);
        return new RoundCase(
            [.. ledger.Roster.Select(entry => new PeerCase(
                entry.Uid, members[entry.Uid].Name, members[entry.Uid].Key, entry.Newcomer,
                ledger.OpeningOf(entry.Uid), ledger.CommitOrder(entry.Uid), [.. ledger.SamplesOf(entry.Uid)]))],
            ledger.RoundBeacon, ledger.PartOf(ledger.CurrentRound), ledger.PaidIn(new Round(ledger.CurrentRound.Number - 1)));
    }
}
