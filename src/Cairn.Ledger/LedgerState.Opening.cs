using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    // A round opens with its roster and its voters fixed: who joins later, or gets more bond, waits for the next.
    private RoundBook OpenBook(Round round)
    {
        var voters = FindVoters();

        if (Rules.ApplyDelay > 0)
        {
            return OpenPlanned(round, voters);
        }

        // While the run is paused, or nobody could close the round, it waits as it does for peers.
        var roster = Paused || voters.Length == 0 ? [] : DrawRoster(_lastBeacon);
        var samples = Array.ConvertAll(roster, entry => SamplesToCome(_members[entry.Uid.Value]));
        _queue = _queues[Rules.PartAt(StepsDone)];
        if (roster.Length > 0)
        {
            _queue.Open(samples.Sum());
            SamplesIssued += _queue.IssuedCount;
        }

        return new RoundBook(round, roster, samples, voters);
    }

    // What is trained in a round was fixed when the round before it opened. Only where nobody was there to plan for is it cut now. Who has left meanwhile is not waited
    // for, and its samples are issued again first.
    private RoundBook OpenPlanned(Round round, Voter[] voters)
    {
        var plan = _plan?.Round == round ? _plan : _ahead?.Round == round ? _ahead : CutPlan(round, StepsDone);
        (plan, var returned) = plan.Without(entry => _members[entry.Uid.Value].HasLeft);
        GiveBack(returned);
        _plan = plan.Roster.Length > 0 ? plan : CutPlan(round, StepsDone);
        if (round.Number + 1 < Rules.Rounds && (_ahead?.Round != round.Next || _ahead.Roster.Length == 0))
        {
            // Whether the round that opens now will be a step is not known yet; the schedule counts it as one.
            _ahead = CutPlan(round.Next, StepsDone + 1);
        }

        var waits = Paused || voters.Length == 0 || _plan.Roster.Length == 0;
        SamplesIssued += waits ? 0 : _plan.SampleCount;
        return new RoundBook(round, waits ? [] : _plan.Roster, waits ? [] : Array.ConvertAll(_plan.Pieces, piece => piece.Length), voters);
    }

    private RoundPlan CutPlan(Round round, long stepsBefore)
    {
        // Two rounds may be planned on one beacon: each draws for itself.
        using var hasher = new Hasher("cairn/ledger/plan");
        hasher.Append(_lastBeacon);
        hasher.Append(round.Number);
        var roster = DrawRoster(hasher.Finish());
        var samples = Array.ConvertAll(roster, entry => SamplesToCome(_members[entry.Uid.Value]));
        var pieces = new long[roster.Length][];
        if (roster.Length > 0)
        {
            var (ids, start) = (_queues[Rules.PartAt(stepsBefore)].Take(samples.Sum()), 0);
            foreach (var place in RoundPlan.InOrderOfIssue(roster.Length, round))
            {
                pieces[place] = ids[start..(start + samples[place])];
                start += samples[place];
            }
        }

        return new RoundPlan(round, roster, pieces, stepsBefore);
    }

    // Each to the line of its own part.
    private void GiveBack(long[] returned)
    {
        foreach (var queue in _queues)
        {
            queue.GiveBack(_queues.Length == 1 ? returned : [.. returned.Where(queue.Part.Holds)]);
        }
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

    private RosterEntry[] DrawRoster(Digest seed)
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
        var random = new SeededRandom(seed);
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
