using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Rules that hold from a round on.</summary>
/// <param name="Number">1 for those the run began with, then one more each.</param>
/// <param name="RulesDigest">Of the rules in force.</param>
/// <param name="From">The first round that they govern.</param>
public readonly record struct RulesVersion(int Number, Digest RulesDigest, Round From);
