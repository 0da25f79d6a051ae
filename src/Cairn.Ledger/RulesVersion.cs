using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Rules that hold from a round on.</summary>
/// <param name="Number">1 for those the run began with, then one more each.</param>
/// <param name="RulesDigest">Names the rules in force: the digest of the genesis, and from then on one over the version before it and what was changed
/// (docs/wire.md).</param>
/// <param name="From">The first round that they govern.</param>
/// <param name="Changes">What is other than in the version before; empty in the first.</param>
public sealed record RulesVersion(int Number, Digest RulesDigest, Round From, IReadOnlyList<RuleChange> Changes)
{
    internal RulesVersion Changed(VoteRules vote)
    {
        using var hasher = new Hasher("cairn/rules/version");
        hasher.Append(RulesDigest);
        hasher.Append(vote.Proposal);
        return new RulesVersion(Number + 1, hasher.Finish(), vote.From, vote.Changes);
    }
}

/// <summary>A change of the rules that validators have voted for and that is not carried yet.</summary>
/// <param name="Digest">Names it: <see cref="VoteRules.Proposal"/>.</param>
/// <param name="From">The first round that it would govern.</param>
/// <param name="Changes">What it would change.</param>
/// <param name="Voters">Who stands for it, ascending by uid.</param>
/// <param name="Bond">Their bond.</param>
/// <param name="BondTotal">That of all validators with a voice: two thirds of it carry the change.</param>
public sealed record RulesProposal(Digest Digest, Round From, IReadOnlyList<RuleChange> Changes, IReadOnlyList<Uid> Voters, long Bond, long BondTotal);
