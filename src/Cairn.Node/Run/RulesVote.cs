using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>What a person has validators say about the rules of a run: made when the ledger is at hand, which says what may be said.</summary>
public abstract record RulesVote
{
    /// <summary>A change that nobody need have named before.</summary>
    /// <param name="From">The first round that it governs.</param>
    /// <param name="Changes">Any; each rule once.</param>
    public sealed record Propose(Round From, IReadOnlyList<RuleChange> Changes) : RulesVote;

    /// <summary>A change that other validators stand for.</summary>
    /// <param name="Digest">Its first digits.</param>
    public sealed record Support(string Digest) : RulesVote;

    /// <summary>For nothing any more.</summary>
    public sealed record TakeBack : RulesVote;

    /// <summary>The operation that says so.</summary>
    /// <exception cref="InputException">The ledger would refuse it, or there is no such proposal; the sentence says why.</exception>
    internal VoteRules In(LedgerState state) => this switch
    {
        Propose propose => Proposed(state, propose),
        Support support => Supported(state, support.Digest),
        _ => new VoteRules(state.CurrentRound, new Round(0), []),
    };

    private static VoteRules Proposed(LedgerState state, Propose propose)
    {
        RuleChange[] changes = [.. propose.Changes.OrderBy(change => change.Rule)];
        if (!ChangeableRule.AreWellFormed(changes))
        {
            throw new InputException("name at least one rule to change, and each once.");
        }

        var faults = state.FaultsOf(propose.From, changes);
        return faults.Count == 0 ? new VoteRules(state.CurrentRound, propose.From, changes)
            : throw new InputException($"the rules cannot be changed so: {string.Join("; ", faults)}.");
    }

    private static VoteRules Supported(LedgerState state, string digest)
    {
        var open = state.RulesProposals();
        var named = open.Where(proposal => proposal.Digest.ToString().StartsWith(digest, StringComparison.OrdinalIgnoreCase)).ToList();
        return named.Count == 1 ? new VoteRules(state.CurrentRound, named[0].From, named[0].Changes)
            : throw new InputException(
                open.Count == 0 ? "nobody stands for other rules: name them with cairn run propose."
                : $"'{digest}' names {(named.Count == 0 ? "no" : "more than one")} proposal: name one of {string.Join(", ", open.Select(one => one.Digest.Short))}.");
    }
}
