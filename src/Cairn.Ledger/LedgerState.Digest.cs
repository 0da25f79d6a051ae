using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>Names everything that was agreed: equal after the same operations in the same order, however they were signed or cut into
    /// blocks.</summary>
    /// <remarks>Cost: a hash over the members, the waiting samples and the current round; closed rounds are folded in when they end.</remarks>
    public Digest StateDigest()
    {
        var writer = new WireWriter();
        writer.Digest(_history);
        WriteMembers(writer);
        WriteTotals(writer);
        WriteRound(writer);
        WritePlan(writer, _plan);
        WritePlan(writer, _ahead);
        return Digest.Of("cairn/ledger/state", writer.Written);
    }

    private Digest HistoryDigest()
    {
        var writer = new WireWriter();
        writer.Digest(_history);
        writer.Digest(_manifests[^1].Digest);
        writer.Digest(_book.Beacon);
        Write(writer, _quorumBases[^1]);
        WriteBases(writer, _bases[^1]);
        var checkpointed = _checkpoints.Count > 0 && _checkpoints[^1].Round == CurrentRound;
        Write(writer, checkpointed ? _checkpoints[^1].Digest : null);
        return Digest.Of("cairn/ledger/history", writer.Written);
    }

    private void WriteMembers(WireWriter writer)
    {
        writer.Int32(_members.Count);
        for (var i = 0; i < _members.Count; i++)
        {
            var member = _members[i];
            writer.Byte((byte)member.Role);
            writer.Text(member.Name);
            writer.Raw(member.Key.Bytes);
            writer.Int64(member.Bond);
            writer.Digest(member.ChainTip);
            writer.Int32(member.AbsentRounds);
            writer.Byte(member.Active ? (byte)1 : (byte)0);
            writer.Int64(member.Reward);
            writer.Int32(member.LeftInRound);
            writer.Text(member.Place);
            writer.Int32(member.AnnouncedInRound);
            writer.Int32(member.Samples);
            writer.Int32(member.DeclaredInRound);
            writer.Int64(_tallies[i].Accepted);
            writer.Int64(_tallies[i].Rejected);
        }
    }

    private void WriteTotals(WireWriter writer)
    {
        writer.Int64(StepsDone);
        writer.Int64(SamplesIssued);
        writer.Int64(SamplesTrained);
        foreach (var queue in _queues)
        {
            writer.Int64(queue.Cursor);
            writer.Int32(queue.Waiting.Length);
            foreach (var id in queue.Waiting)
            {
                writer.Int64(id);
            }
        }

        writer.Byte(Paused ? (byte)1 : (byte)0);
        writer.Digest(_slashHistory);
        writer.Int64(Burned);
        writer.Int64(AuditFund);
        writer.Int64(Minted);
        writer.Int64(Unpaid);
        WriteRules(writer);
        writer.Int32(_backings.Count);
        foreach (var (uid, backings) in _backings)
        {
            writer.Int32(uid);
            writer.Int32(backings.Count);
            foreach (var backing in backings)
            {
                writer.Int32(backing.Peer.Value);
                writer.Int64(backing.Bits);
            }
        }

        writer.Int32(ConsensusShares.Count);
        foreach (var entry in ConsensusShares)
        {
            writer.Int32(entry.Uid.Value);
            writer.Int64(entry.Share);
        }
    }

    private void WriteRound(WireWriter writer)
    {
        writer.Int32(CurrentRound.Number);
        writer.Byte((byte)Stage);
        writer.Digest(_lastBeacon);
        Write(writer, ManifestOf(CurrentRound)?.Digest);
        writer.Int32(_book.Roster.Length);
        for (var i = 0; i < _book.Roster.Length; i++)
        {
            var (uid, newcomer) = _book.Roster[i];
            writer.Int32(uid.Value);
            writer.Byte(newcomer ? (byte)1 : (byte)0);
            Write(writer, _book.Commits[i]);
            writer.Int32(_book.CommitOrders[i]);
            // An opening that stands has the committed root (CheckReveal), so that it need not be computed again.
            Write(writer, _book.Openings[i] is null ? null : _book.Commits[i]);
        }

        writer.Int32(_book.Voters.Length);
        for (var i = 0; i < _book.Voters.Length; i++)
        {
            writer.Int32(_book.Voters[i].Uid.Value);
            writer.Int64(_book.Voters[i].Bond);
            writer.Byte(_book.Voters[i].Awaited ? (byte)1 : (byte)0);
            Write(writer, _book.Beacons[i]);
            writer.Bytes(_book.Verdicts[i] is { } verdict ? OperationCodec.ToBytes(verdict) : []);
            writer.Bytes(_book.Shares[i] is { } shares ? OperationCodec.ToBytes(shares) : []);
            writer.Byte(_book.TimedOut[i] ? (byte)1 : (byte)0);
            writer.Byte(_book.PauseVotes[i] switch { null => (byte)0, false => (byte)1, true => (byte)2 });
        }

        writer.Int32(_book.SlashVotes.Count);
        foreach (var ((voter, _), vote) in _book.SlashVotes)
        {
            writer.Int32(voter);
            writer.Bytes(OperationCodec.ToBytes(vote));
        }

        WriteBases(writer, _book.Bases);
    }

    // Without an apply delay there is none, and nothing is written.
    private static void WritePlan(WireWriter writer, RoundPlan? plan)
    {
        if (plan is null)
        {
            return;
        }

        writer.Int32(plan.Round.Number);
        writer.Int64(plan.StepsBefore);
        writer.Int32(plan.Roster.Length);
        for (var place = 0; place < plan.Roster.Length; place++)
        {
            writer.Int32(plan.Roster[place].Uid.Value);
            writer.Byte(plan.Roster[place].Newcomer ? (byte)1 : (byte)0);
            writer.Int32(plan.Pieces[place].Length);
            foreach (var id in plan.Pieces[place])
            {
                writer.Int64(id);
            }
        }
    }

    private static void WriteBases(WireWriter writer, SortedDictionary<int, Digest> bases)
    {
        writer.Int32(bases.Count);
        foreach (var (uid, digest) in bases)
        {
            writer.Int32(uid);
            writer.Digest(digest);
        }
    }

    private static void Write(WireWriter writer, Digest? digest)
    {
        writer.Byte(digest is null ? (byte)0 : (byte)1);
        writer.Digest(digest ?? Digest.Zero);
    }
}
