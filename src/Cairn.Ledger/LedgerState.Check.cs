using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>Says whether an operation may be appended now. Changes nothing.</summary>
    /// <param name="signed">From anywhere.</param>
    /// <returns><see cref="Rejection.None"/> if it may. <see cref="Rejection.AlreadyThere"/> if the author said exactly this already: harmless.
    /// <see cref="Rejection.Equivocation"/> if it said something else where only one statement is allowed. Otherwise why not.</returns>
    /// <remarks>The signature is verified before anything is held against the author.</remarks>
    public Rejection Check(SignedOperation signed) => Check(signed, verifySignature: true);

    private Rejection Check(SignedOperation signed, bool verifySignature)
    {
        var author = Find(signed.Author);
        if (author is null && signed.Operation is not Register)
        {
            return Rejection.NotEntitled;
        }

        if (verifySignature && !_signatures.Verify(signed, Run))
        {
            return Rejection.BadSignature;
        }

        return signed.Operation switch
        {
            Register register => CheckRegister(author, register),
            Commit commit => CheckCommit(author!, commit),
            Reveal reveal => CheckReveal(author!, reveal),
            Beacon beacon => CheckBeacon(author!, beacon),
            Verdict verdict => CheckVerdict(author!, verdict),
            PostBase posted => CheckPostBase(author!, posted),
            PostShares posted => CheckPostShares(author!, posted),
            Timeout timeout => CheckTimeout(author!, timeout),
            Return back => CheckReturn(author!, back),
            Accuse accuse => CheckAccuse(accuse, verifySignature),
            VoteSlash vote => CheckVoteSlash(author!, vote),
            Exit exit => CheckExit(author!, exit),
            VotePause vote => CheckVotePause(author!, vote),
            VoteRules vote => CheckVoteRules(author!, vote),
            Announce announce => CheckAnnounce(author!, announce),
            Declare declare => CheckDeclare(author!, declare),
            _ => Rejection.Malformed,
        };
    }

    // What stands already is compared first: a member that repeats itself after the stage has ended hears that it was heard, not that it is late.
    private Rejection CheckOnce(Round round, Stage stage, bool there, Func<bool> same)
    {
        if (round == CurrentRound && there)
        {
            return same() ? Rejection.AlreadyThere : Rejection.Equivocation;
        }

        return round < CurrentRound || (round == CurrentRound && stage < Stage) ? Rejection.Late
            : round > CurrentRound || stage > Stage ? Rejection.OutOfTurn
            : Rejection.None;
    }

    private Rejection CheckRegister(Member? author, Register register)
    {
        if (author is not null)
        {
            return RegistrationDigest(register) == _registrations[author.Uid.Value] ? Rejection.AlreadyThere : Rejection.Equivocation;
        }

        return Stage == Stage.Finished ? Rejection.Late : _members.Count >= LedgerRules.MembersLimit ? Rejection.TooLarge : Rejection.None;
    }

    private Rejection CheckCommit(Member author, Commit commit)
    {
        var there = CommitOf(author.Uid);
        var turn = CheckOnce(commit.Round, Stage.Commit, there is not null, () => there == commit.Root);
        return turn != Rejection.None ? turn : _book.PlaceOf(author.Uid) < 0 ? Rejection.NotEntitled : Rejection.None;
    }

    private Rejection CheckReveal(Member author, Reveal reveal)
    {
        var there = OpeningOf(author.Uid);
        var turn = CheckOnce(reveal.Round, Stage.Reveal, there is not null, () => there == reveal.Opening);
        if (turn != Rejection.None)
        {
            return turn;
        }

        // Who knew what the beacon draws could open only where nobody looks.
        return CommitOf(author.Uid) is not { } root ? Rejection.NotEntitled
            : root != reveal.Opening.Root(author.Uid, reveal.Round) ? Rejection.NotAsCommitted
            : _book.BeaconIsTelling() ? Rejection.Late
            : Rejection.None;
    }

    private Rejection CheckBeacon(Member author, Beacon beacon)
    {
        var there = BeaconOf(author.Uid);
        var turn = CheckOnce(beacon.Round, Stage.Reveal, there is not null, () => there == beacon.Preimage);
        if (turn != Rejection.None)
        {
            return turn;
        }

        return _book.VoterOf(author.Uid) < 0 ? Rejection.NotEntitled
            : BeaconChain.Next(beacon.Preimage) != author.ChainTip ? Rejection.NotAsCommitted
            : Rejection.None;
    }

    private Rejection CheckVerdict(Member author, Verdict verdict)
    {
        var there = VerdictOf(author.Uid);
        var turn = CheckOnce(verdict.Round, Stage.Judge, there is not null, () => Same(there!, verdict));
        if (turn != Rejection.None)
        {
            return turn;
        }

        return _book.VoterOf(author.Uid) < 0 ? Rejection.NotEntitled : CheckEntries(verdict.Entries);
    }

    private Rejection CheckEntries(IReadOnlyList<VerdictEntry> entries)
    {
        if (entries.Count != _book.Roster.Length)
        {
            return Rejection.WrongShape;
        }

        for (var i = 0; i < entries.Count; i++)
        {
            if (entries[i].Uid != _book.Roster[i].Uid)
            {
                return Rejection.WrongShape;
            }

            if (entries[i].Samples > _book.Samples[i])
            {
                return Rejection.WrongSamples;
            }

            // Nobody can have decrypted what was not opened.
            if (entries[i].Reason == Rejection.None && _book.Openings[i] is null)
            {
                return Rejection.Missing;
            }
        }

        return Rejection.None;
    }

    private Rejection CheckPostBase(Member author, PostBase posted)
    {
        var there = _book.Bases.TryGetValue(author.Uid.Value, out var digest);
        return CheckOnce(posted.Round, Stage.Apply, there, () => digest == posted.BaseDigest);
    }

    private Rejection CheckPostShares(Member author, PostShares posted)
    {
        var there = SharesOf(author.Uid);
        var turn = CheckOnce(posted.Round, Stage.Settle, there is not null, () => Same(there!, posted));
        if (turn != Rejection.None)
        {
            return turn;
        }

        if (_book.VoterOf(author.Uid) < 0)
        {
            return Rejection.NotEntitled;
        }

        foreach (var entry in posted.Shares)
        {
            if (entry.Uid.Value >= _members.Count || _members[entry.Uid.Value].Role != Role.Peer)
            {
                return Rejection.WrongShape;
            }
        }

        return Rejection.None;
    }

    private Rejection CheckTimeout(Member author, Timeout timeout)
    {
        var voter = _book.VoterOf(author.Uid);
        var there = voter >= 0 && timeout.Stage == Stage && _book.TimedOut[voter];
        var turn = CheckOnce(timeout.Round, timeout.Stage, there, () => true);
        if (turn != Rejection.None)
        {
            return turn;
        }

        // An empty roster is no stage that could last too long: the run waits for peers.
        return voter < 0 ? Rejection.NotEntitled : _book.Roster.Length == 0 ? Rejection.OutOfTurn : Rejection.None;
    }

    private Rejection CheckReturn(Member author, Return back)
    {
        if (back.Round != CurrentRound || Stage == Stage.Finished)
        {
            return back.Round > CurrentRound ? Rejection.OutOfTurn : Rejection.Late;
        }

        return author.HasLeft ? Rejection.NotEntitled : author.Active ? Rejection.AlreadyThere : Rejection.None;
    }

    private Rejection CheckDeclare(Member author, Declare declare)
    {
        if (declare.Samples == SamplesToCome(author))
        {
            return Rejection.AlreadyThere;
        }

        return declare.Round < CurrentRound || Stage == Stage.Finished ? Rejection.Late
            : declare.Round > CurrentRound || author.DeclaredInRound == CurrentRound.Number ? Rejection.OutOfTurn
            : author.Role != Role.Peer || author.HasLeft || Rules.SamplesMin == 0 ? Rejection.NotEntitled
            : declare.Samples < Rules.SamplesMin || declare.Samples > Rules.SamplesPerPeer || declare.Samples % Rules.SamplesPerStep != 0 ? Rejection.WrongSamples
            : Rejection.None;
    }

    private Rejection CheckAnnounce(Member author, Announce announce)
    {
        if (announce.Place == author.Place)
        {
            return Rejection.AlreadyThere;
        }

        return announce.Round < CurrentRound || Stage == Stage.Finished ? Rejection.Late
            : announce.Round > CurrentRound || author.AnnouncedInRound == CurrentRound.Number ? Rejection.OutOfTurn
            : author.HasLeft ? Rejection.NotEntitled : Rejection.None;
    }

    private static bool Same(Operation left, Operation right) => OperationCodec.ToBytes(left).AsSpan().SequenceEqual(OperationCodec.ToBytes(right));

    private static Digest RegistrationDigest(Register register) => Digest.Of("cairn/register", OperationCodec.ToBytes(register));
}
