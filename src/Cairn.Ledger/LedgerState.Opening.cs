using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    // A round opens with its roster and its voters fixed: who joins later, or gets more bond, waits for the next.
    private RoundBook OpenBook(Round round)
    {
        var voters = FindVoters();

        // While the run is paused, or nobody could close the round, it waits as it does for peers.
        var roster = Paused || voters.Length == 0 ? [] : DrawRoster();
        var samples = Array.ConvertAll(roster, entry => SamplesToCome(_members[entry.Uid.Value]));
        if (roster.Length > 0)
        {
            _queue.Open(samples.Sum());
            SamplesIssued += _queue.IssuedCount;
        }

        return new RoundBook(round, roster, samples, voters);
    }


    private Voter[] FindVoters()
    {
        var voters = new List<Voter>();
        var (total, active) = (0L, 0L);
        foreach (var member in MembersWithVoice())
        {
            voters.Add(new Voter(member.Uid, member.Bond, member.Active));
            total += member.Bond;
            active += member.Active ? member.Bond : 0;
        }

        // Without a majority of bond among the active ones the run must wait for the others, not race through empty rounds.
        if (2 * active <= total)
        {
            for (var i = 0; i < voters.Count; i++)
            {
                voters[i] = voters[i] with { Awaited = true };
            }
        }

        return [.. voters];
    }

    private List<Member> MembersWithVoice()
    {
        var found = _members.FindAll(HasVoice);
        if (found.Count > LedgerRules.VotersLimit)
        {
            found.Sort(static (left, right) => left.Bond != right.Bond ? right.Bond.CompareTo(left.Bond) : left.Uid.CompareTo(right.Uid));
            found.RemoveRange(LedgerRules.VotersLimit, found.Count - LedgerRules.VotersLimit);
            found.Sort(static (left, right) => left.Uid.CompareTo(right.Uid));
        }

        return found;
    }

    private RosterEntry[] DrawRoster()
    {
        var established = new List<RosterEntry>();
        var newcomers = new List<RosterEntry>();
        foreach (var member in _members)
        {
            if (member.Role == Role.Peer && member.Active)
            {
                var newcomer = member.Bond < Rules.PeerBondMin;
                (newcomer ? newcomers : established).Add(new RosterEntry(member.Uid, newcomer));
            }
        }

        // A crowd of keys without bond cannot push out those who have it, but a tenth of the seats is always there for newcomers.
        var seatsForNewcomers = Math.Min(newcomers.Count, Math.Max(Rules.PeersMax - established.Count, Math.Max(Rules.PeersMax / 10, 1)));
        seatsForNewcomers = established.Count == 0 ? Math.Min(newcomers.Count, Rules.PeersMax) : Math.Min(seatsForNewcomers, Rules.PeersMax - 1);
        var random = new SeededRandom(_lastBeacon);
        Draw(established, Rules.PeersMax - seatsForNewcomers, ref random);
        Draw(newcomers, seatsForNewcomers, ref random);
        RosterEntry[] roster = [.. established, .. newcomers];
        Array.Sort(roster, static (left, right) => left.Uid.CompareTo(right.Uid));
        return roster;
    }

    // The first `seats` steps of a Fisher–Yates shuffle: every subset is equally likely.
    private static void Draw(List<RosterEntry> entries, int seats, ref SeededRandom random)
    {
        if (entries.Count <= seats)
        {
            return;
        }

        for (var i = 0; i < seats; i++)
        {
            var chosen = i + random.NextBelow(entries.Count - i);
            (entries[i], entries[chosen]) = (entries[chosen], entries[i]);
        }

        entries.RemoveRange(seats, entries.Count - seats);
    }
}
