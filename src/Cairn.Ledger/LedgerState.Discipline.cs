using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    private Rejection CheckAccuse(Accuse accuse, bool verifySignature)
    {
        if (Find(accuse.First.Author) is not { } accused)
        {
            return Rejection.NotEntitled;
        }

        var round = Contradiction.RoundOf(accuse.First.Operation)!.Value;
        return round > CurrentRound ? Rejection.OutOfTurn
            : CurrentRound.Number - round.Number > Rules.AccusationRounds ? Rejection.Late
            // Keys without bond could fill the ledger with proofs against themselves that cost nobody anything.
            : PartOf(accused.Bond, Rules.EquivocationSlash) == 0 ? Rejection.NotEntitled
            : _punished.Contains((accused.Uid, Contradiction.SlotOf(accused.Uid, accuse.First))) ? Rejection.AlreadyThere
            : verifySignature && !(_signatures.Verify(accuse.First, Run) && _signatures.Verify(accuse.Second, Run))
                ? Rejection.BadSignature
            : Rejection.None;
    }

    private Rejection CheckVoteSlash(Member author, VoteSlash vote)
    {
        var voter = _book.VoterOf(author.Uid);
        if (TurnOf(vote.Round) is not Rejection.None and var turn)
        {
            return turn;
        }

        if (voter >= 0 && _book.SlashVotes.TryGetValue((voter, vote.Uid.Value), out var said))
        {
            return said == vote ? Rejection.AlreadyThere : Rejection.Equivocation;
        }

        return voter < 0 ? Rejection.NotEntitled
            : vote.Uid.Value >= _members.Count ? Rejection.WrongShape
            : _punished.Contains((vote.Uid, vote.Evidence)) ? Rejection.AlreadyThere
            : Rejection.None;
    }

    private Rejection CheckExit(Member author, Exit exit)
    {
        var turn = TurnOf(exit.Round);
        return turn != Rejection.None ? turn
            : author.HasLeft ? Rejection.AlreadyThere
            : author.Role == Role.Validator && !AnotherVoiceStays(author) ? Rejection.NotEntitled
            : Rejection.None;
    }

    private Rejection CheckVotePause(Member author, VotePause vote)
    {
        var voter = _book.VoterOf(author.Uid);
        if (TurnOf(vote.Round) is not Rejection.None and var turn)
        {
            return turn;
        }

        return voter < 0 ? Rejection.NotEntitled
            : _book.PauseVotes[voter] is { } said ? (said == vote.Paused ? Rejection.AlreadyThere : Rejection.Equivocation)
            : vote.Paused == Paused ? Rejection.AlreadyThere
            // A round that waits has no successor in which a vote to go on could be cast: it stands still already.
            : vote.Paused && _book.Roster.Length == 0 ? Rejection.OutOfTurn
            : Rejection.None;
    }

    // For what may be said at any stage of the current round.
    private Rejection TurnOf(Round round) =>
        round > CurrentRound ? Rejection.OutOfTurn : round < CurrentRound || Stage == Stage.Finished ? Rejection.Late : Rejection.None;

    // The last validator cannot leave, nor the last one that rules to come let speak: nobody could close a round, or let another in.
    private bool AnotherVoiceStays(Member leaving) =>
        RulesFromNowOn().All(rules => _members.Exists(member => member.Uid != leaving.Uid && member.Active && HasVoice(member, rules)));

    private bool HasVoice(Member member) => HasVoice(member, Rules);

    private static bool HasVoice(Member member, LedgerRules rules) =>
        member.Role == Role.Validator && !member.HasLeft && member.Bond >= rules.ValidatorBondMin;

    private void Record(VoteSlash vote, int voter)
    {
        _book.SlashVotes.Add((voter, vote.Uid.Value), vote);
        if (_book.MayMoveMoney(_book.BondFor(vote)))
        {
            Cut(vote.Uid, vote.Reason, vote.Evidence, Rules.FaultSlash);
        }
    }

    private void Record(VotePause vote, int voter)
    {
        _book.PauseVotes[voter] = vote.Paused;
        if (_book.MayMoveMoney(_book.BondOf(i => _book.PauseVotes[i] == vote.Paused)))
        {
            Paused = vote.Paused;
            ReopenIfWaiting(pauses: false);
        }
    }

    private void Cut(Uid uid, Rejection reason, Digest evidence, long part)
    {
        if (!_punished.Add((uid, evidence)))
        {
            return;
        }

        var member = _members[uid.Value];
        var amount = (long)((Int128)member.Bond * part / Shares.One);
        _members[uid.Value] = member with { Bond = member.Bond - amount };
        Burned += amount;
        _slashes.Add(new Slash(CurrentRound, uid, reason, evidence, amount));
        using var hasher = new Hasher("cairn/ledger/slash");
        hasher.Append(_slashHistory);
        hasher.Append(CurrentRound.Number);
        hasher.Append(uid.Value);
        hasher.Append((int)reason);
        hasher.Append(evidence);
        hasher.Append(amount);
        _slashHistory = hasher.Finish();
    }

    // At the end of a round: who left long enough ago gets what is left of its bond; after the last one nobody can be accused any more.
    private void ReleaseBonds(bool last)
    {
        for (var i = 0; i < _members.Count; i++)
        {
            var member = _members[i];
            if (member is { HasLeft: true, Bond: > 0 } && (last || CurrentRound.Number - member.LeftInRound >= Rules.ExitDelayRounds))
            {
                _members[i] = member with { Bond = 0, Reward = member.Reward + member.Bond };
            }
        }
    }
}
