using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>Applies a block that is known to be good: one of the own ledger, or just created from operations that
    /// <see cref="Check(SignedOperation)"/> let pass.</summary>
    /// <param name="block">The block after <see cref="Tip"/>.</param>
    /// <param name="verifySignatures">False only for blocks whose signatures this process has verified, such as those of
    /// <see cref="EmbeddedLedger.ReadNew"/>.</param>
    public void Apply(Block block, bool verifySignatures = true) => Invariant.Check(TryApply(block, verifySignatures, out _));

    /// <summary>Applies a block of the own ledger, whose signatures this process has verified, and shows the state after each of its operations.</summary>
    /// <param name="block">The block after <see cref="Tip"/>.</param>
    /// <param name="afterEach">Called after each operation, once the stages that it ended have ended.</param>
    public void Apply(Block block, Action afterEach)
    {
        Invariant.Check(block.Height == Height + 1 && block.Previous == Tip);
        foreach (var operation in block.Operations)
        {
            Invariant.Check(TryApply(operation, verifySignature: false, out _));
            afterEach();
        }

        Seal(block);
    }

    /// <summary>Applies a block from anywhere.</summary>
    /// <param name="block">Any.</param>
    /// <param name="verifySignatures">As in <see cref="Apply(Block, bool)"/>.</param>
    /// <param name="why">Why not: <see cref="Rejection.NotAsCommitted"/> if it does not follow <see cref="Tip"/>, else what
    /// <see cref="Check(SignedOperation)"/> says of its first bad operation.</param>
    /// <returns>False if the block is no part of this history. Operations before the bad one were applied then: throw this state away.</returns>
    public bool TryApply(Block block, bool verifySignatures, out Rejection why)
    {
        if (block.Height != Height + 1 || block.Previous != Tip)
        {
            why = Rejection.NotAsCommitted;
            return false;
        }

        foreach (var operation in block.Operations)
        {
            if (!TryApply(operation, verifySignatures, out why))
            {
                return false;
            }
        }

        why = Rejection.None;
        Seal(block);
        return true;
    }

    internal bool TryApply(SignedOperation signed, bool verifySignature, out Rejection why)
    {
        why = Check(signed, verifySignature);
        if (why != Rejection.None)
        {
            return false;
        }

        Record(signed);
        while (_book.StageIsOver())
        {
            EndStage();
        }

        return true;
    }

    internal void Seal(Block block) => (Height, Tip) = (block.Height, block.Hash);

    private void Record(SignedOperation signed)
    {
        if (signed.Operation is Register register)
        {
            Enrol(register, signed.Author, _allocations.GetValueOrDefault(signed.Author));
            ReopenIfWaiting();
            return;
        }

        var index = _byKey[signed.Author];
        var uid = new Uid(index);
        switch (signed.Operation)
        {
            case Commit commit:
                var place = _book.PlaceOf(uid);
                _book.Commits[place] = commit.Root;
                _book.CommitOrders[place] = _book.CommitCount++;
                break;
            case Reveal reveal:
                _book.Openings[_book.PlaceOf(uid)] = reveal.Opening;
                break;
            case Beacon beacon:
                _book.Beacons[_book.VoterOf(uid)] = beacon.Preimage;
                _members[index] = _members[index] with { ChainTip = beacon.Preimage };
                break;
            case Verdict verdict:
                _book.Verdicts[_book.VoterOf(uid)] = verdict;
                break;
            case PostBase posted:
                _book.Bases.Add(uid.Value, posted.BaseDigest);
                break;
            case PostShares posted:
                _book.Shares[_book.VoterOf(uid)] = posted;
                break;
            case Timeout:
                _book.TimeOut(_book.VoterOf(uid));
                break;
            case Return:
                _members[index] = _members[index] with { Active = true, AbsentRounds = 0 };
                ReopenIfWaiting();
                break;
            case Accuse accuse:
                var accused = new Uid(_byKey[accuse.First.Author]);
                Cut(accused, Rejection.Equivocation, Contradiction.SlotOf(accused, accuse.First), Rules.EquivocationSlash);
                break;
            case VoteSlash vote:
                Record(vote, _book.VoterOf(uid));
                break;
            case Exit exit:
                _members[index] = _members[index] with { Active = false, LeftInRound = exit.Round.Number };
                if (_book.Roster.Length == 0 && Stage == Stage.Commit)
                {
                    // The round waits and may wait for long: who has left must not be counted on in it, paused or not.
                    _book = OpenBook(CurrentRound).WithVotesOf(_book, pauses: true);
                }

                break;
            case VotePause vote:
                Record(vote, _book.VoterOf(uid));
                break;
            case VoteRules vote:
                Record(vote, uid.Value);
                break;
            case Declare declare:
                _members[index] = _members[index] with { Samples = declare.Samples, DeclaredInRound = declare.Round.Number };
                break;
            case Announce announce:
                _members[index] = _members[index] with { Place = announce.Place, AnnouncedInRound = announce.Round.Number };
                Announcements++;
                break;
        }
    }

    private void Enrol(Register register, PublicKey key, long bond)
    {
        var uid = new Uid(_members.Count);
        _byKey.Add(key, uid.Value);
        _registrations.Add(RegistrationDigest(register));
        _tallies.Add((0, 0));
        _members.Add(new Member { Uid = uid, Role = register.Role, Name = register.Name, Key = key, Bond = bond, ChainTip = register.ChainTip });
    }

    // Votes stand whoever comes or goes meanwhile; but those that stopped the run or let it go on have done their work.
    private void ReopenIfWaiting(bool pauses = true)
    {
        if (_book.Roster.Length == 0 && Stage == Stage.Commit && !Paused)
        {
            _book = OpenBook(CurrentRound).WithVotesOf(_book, pauses);
        }
    }

    private void EndStage()
    {
        switch (Stage)
        {
            case Stage.Commit:
                _book.Enter(Stage.Reveal);
                break;
            case Stage.Reveal:
                _lastBeacon = _book.Beacon = BeaconOfRound();
                _book.Enter(Stage.Judge);
                break;
            case Stage.Judge:
                CloseManifest();
                _book.Enter(Stage.Apply);
                break;
            case Stage.Apply when Rules.Settles(CurrentRound):
                _book.Enter(Stage.Settle);
                break;
            case Stage.Apply:
                EndRound();
                break;
            case Stage.Settle:
                Settle();
                EndRound();
                break;
        }
    }

    private Digest BeaconOfRound()
    {
        using var hasher = new Hasher("cairn/beacon/round");
        hasher.Append(CurrentRound.Number);
        for (var i = 0; i < _book.Voters.Length; i++)
        {
            if (_book.Beacons[i] is { } preimage)
            {
                hasher.Append(_book.Voters[i].Uid.Value);
                hasher.Append(preimage);
            }
        }

        return hasher.Finish();
    }

    private void EndRound()
    {
        _quorumBases.Add(_book.QuorumBase());
        _bases.Add(_book.Bases);
        CountAbsences();
        _history = HistoryDigest();
        var last = CurrentRound.Number == Rules.Rounds - 1;
        ReleaseBonds(last);
        if (last)
        {
            _book.Enter(Stage.Finished);
            return;
        }

        Rules = RulesAt(CurrentRound.Next);
        _book = OpenBook(CurrentRound.Next);
        CarryRules();
    }

    private void CountAbsences()
    {
        for (var i = 0; i < _book.Roster.Length; i++)
        {
            CountAbsence(_book.Roster[i].Uid, _book.PeerWasAbsent(i));
        }

        for (var i = 0; i < _book.Voters.Length; i++)
        {
            CountAbsence(_book.Voters[i].Uid, _book.VoterWasAbsent(i, Rules.Settles(CurrentRound)));
        }
    }

    private void CountAbsence(Uid uid, bool absent)
    {
        var member = _members[uid.Value];
        var rounds = absent ? member.AbsentRounds + 1 : 0;
        _members[uid.Value] = member with { AbsentRounds = rounds, Active = rounds < Rules.AbsentRoundsMax && !member.HasLeft };
    }
}
