using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>How many rounds before it governs a change must be carried: then every node knows it before it does anything for that round, with an apply delay
    /// too.</summary>
    public const int RulesNoticeRounds = 2;

    private readonly List<RulesVersion> _versions;
    private readonly List<LedgerRules> _rulesByVersion;
    // The newest word of each validator, by uid. Where it counts no more it is kept still, so that nobody can say it again in its author's name.
    private readonly SortedDictionary<int, (VoteRules Said, bool Counts)> _rulesVotes = [];

    /// <summary>The ledger's part of the rules, as they are in the current round.</summary>
    public LedgerRules Rules { get; private set; }

    /// <summary>The rules in force and to come, by the round from which they hold; the first is the genesis'.</summary>
    public IReadOnlyList<RulesVersion> RulesVersions => _versions;

    /// <summary>The ledger's part of the rules of a round, as far as is decided.</summary>
    /// <param name="round">Any.</param>
    public LedgerRules RulesAt(Round round) => _rulesByVersion[Math.Max(0, _versions.FindLastIndex(version => version.From <= round))];

    /// <summary>Changes that validators stand for and that can still be carried, by the uid of the first who does.</summary>
    public IReadOnlyList<RulesProposal> RulesProposals()
    {
        var found = new List<RulesProposal>();
        foreach (var voter in _book.Voters)
        {
            if (StandsFor(voter.Uid) is { } vote && IsOpen(vote) && !found.Exists(other => other.Digest == vote.Proposal))
            {
                found.Add(ProposalOf(vote));
            }
        }

        return found;
    }

    /// <summary>Why a change of the rules cannot be voted for now, as sentences for people; none if the ledger lets a validator vote for it.</summary>
    /// <param name="from">The first round that it would govern.</param>
    /// <param name="changes">Well-formed ones.</param>
    public IReadOnlyList<string> FaultsOf(Round from, IReadOnlyList<RuleChange> changes)
    {
        var (faults, rules) = (new List<string>(), ChangeableRule.In(_rulesByVersion[^1], changes));
        var first = Math.Max(CurrentRound.Number + RulesNoticeRounds, _versions[^1].From.Number + 1);
        if (from.Number < first || from.Number >= Rules.Rounds)
        {
            faults.Add(
                first < Rules.Rounds ? $"it can begin with rounds {first + 1} to {Rules.Rounds}, counted from 1, not with {from.Number + 1}"
                : $"the run has {Rules.Rounds} rounds, and no change can be announced any more");
        }

        faults.AddRange(rules.Faults());
        if (!KeepsVoices(rules))
        {
            faults.Add($"validatorBondMin {rules.ValidatorBondMin} would take validators with more than a third of the bond their voice");
        }

        return faults;
    }

    private IEnumerable<LedgerRules> RulesFromNowOn() => _rulesByVersion.Skip(Math.Max(0, _versions.FindLastIndex(version => version.From <= CurrentRound)));

    private VoteRules? StandsFor(Uid uid) => _rulesVotes.TryGetValue(uid.Value, out var vote) && vote.Counts && vote.Said.Changes.Count > 0 ? vote.Said : null;

    private RulesProposal ProposalOf(VoteRules vote)
    {
        var (name, voters, bond) = (vote.Proposal, new List<Uid>(), 0L);
        foreach (var voter in _book.Voters)
        {
            if (StandsFor(voter.Uid)?.Proposal == name)
            {
                voters.Add(voter.Uid);
                bond += voter.Bond;
            }
        }

        return new RulesProposal(name, vote.From, vote.Changes, voters, bond, _book.BondTotal);
    }

    private Rejection CheckVoteRules(Member author, VoteRules vote)
    {
        if (TurnOf(vote.Round) is not Rejection.None and var turn)
        {
            return turn;
        }

        var said = _rulesVotes.GetValueOrDefault(author.Uid.Value).Said;
        return _book.VoterOf(author.Uid) < 0 ? Rejection.NotEntitled
            : said?.Round == vote.Round ? (said.Proposal == vote.Proposal ? Rejection.AlreadyThere : Rejection.Equivocation)
            : vote.Changes.Count == 0 ? (StandsFor(author.Uid) is not null ? Rejection.None : Rejection.AlreadyThere)
            : vote.From.Number >= Rules.Rounds ? Rejection.OutOfTurn
            : !IsOpen(vote) ? Rejection.Late
            : Fits(vote) ? Rejection.None : Rejection.WrongRules;
    }

    // Versions follow each other: what is to hold before the newest would change what it was voted on.
    private bool IsOpen(VoteRules vote) =>
        vote.From.Number - CurrentRound.Number >= RulesNoticeRounds && vote.From > _versions[^1].From;

    // Together with all that stays, the values must be rules; and those who would lose their voice must be fewer than could stop it.
    private bool Fits(VoteRules vote)
    {
        var rules = ChangeableRule.In(_rulesByVersion[^1], vote.Changes);
        return rules.Faults().Count == 0 && KeepsVoices(rules);
    }

    // Who has left speaks in this round still, and in none that these rules govern: only the others count.
    private bool KeepsVoices(LedgerRules rules)
    {
        var staying = _book.BondOf(Stays);
        return staying > 0 && 3 * _book.BondOf(i => Stays(i) && _book.Voters[i].Bond >= rules.ValidatorBondMin) >= 2 * staying;

        bool Stays(int voter) => !_members[_book.Voters[voter].Uid.Value].HasLeft;
    }

    private void Record(VoteRules vote, int uid)
    {
        _rulesVotes[uid] = (vote, true);
        CarryRules();
    }

    // Asked after every such vote, and when a round opens, for then bonds count anew.
    private void CarryRules()
    {
        foreach (var proposal in _rulesVotes.Count == 0 ? [] : RulesProposals())
        {
            var vote = StandsFor(proposal.Voters[0])!;
            if (!_book.MayMoveMoney(proposal.Bond) || !Fits(vote))
            {
                continue;
            }

            _versions.Add(_versions[^1].Changed(vote));
            _rulesByVersion.Add(ChangeableRule.In(_rulesByVersion[^1], vote.Changes));
            // What others stood for was meant for the rules before: they say it again in another round, or not.
            foreach (var (uid, (said, _)) in _rulesVotes.ToArray())
            {
                _rulesVotes[uid] = (said, false);
            }

            return;
        }
    }

    // Before the first vote: the version of the genesis alone.
    private void WriteRules(WireWriter writer)
    {
        foreach (var version in _versions)
        {
            writer.Int32(version.Number);
            writer.Digest(version.RulesDigest);
            writer.Int32(version.From.Number);
        }

        foreach (var (uid, (said, counts)) in _rulesVotes)
        {
            writer.Int32(uid);
            writer.Byte(counts ? (byte)1 : (byte)0);
            writer.Bytes(OperationCodec.ToBytes(said));
        }
    }
}
