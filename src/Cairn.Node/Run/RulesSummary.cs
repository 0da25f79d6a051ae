using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>A change of the rules that was carried.</summary>
/// <param name="Number">2 for the first: the rules that the run began with are 1.</param>
/// <param name="Digest">Names the rules from then on.</param>
/// <param name="From">The first round that they govern.</param>
/// <param name="InForce">True if that round has come.</param>
/// <param name="Changes">What is other than before, as name=value.</param>
public sealed record CarriedRules(int Number, string Digest, int From, bool InForce, IReadOnlyList<string> Changes);

/// <summary>A change of the rules that validators stand for.</summary>
/// <param name="Digest">Names it.</param>
/// <param name="From">The first round that it would govern.</param>
/// <param name="Changes">What would be other, as name=value.</param>
/// <param name="Voters">Who stands for it.</param>
/// <param name="Bond">Their bond.</param>
/// <param name="BondTotal">That of all validators with a voice: two thirds of it carry the change.</param>
public sealed record ProposedRules(string Digest, int From, IReadOnlyList<string> Changes, IReadOnlyList<string> Voters, long Bond, long BondTotal);

/// <summary>A rule that a vote may change.</summary>
/// <param name="Name">As in the rules of the run.</param>
/// <param name="Value">In the current round.</param>
public sealed record RuleNow(string Name, string Value);

/// <summary>What votes have made, and may make, of a run's rules.</summary>
/// <param name="Carried">Changes that hold, or will.</param>
/// <param name="Proposed">Changes that lack votes.</param>
public sealed record RulesSummary(IReadOnlyList<CarriedRules> Carried, IReadOnlyList<ProposedRules> Proposed)
{
    /// <summary>Reads it off a ledger.</summary>
    /// <param name="state">The ledger.</param>
    public static RulesSummary Of(LedgerState state) => new(
        [.. state.RulesVersions.Skip(1).Select(version => new CarriedRules(
            version.Number, version.RulesDigest.ToString(), version.From.Number, version.From <= state.CurrentRound, Said(version.Changes)))],
        [.. state.RulesProposals().Select(proposal => new ProposedRules(
            proposal.Digest.ToString(), proposal.From.Number, Said(proposal.Changes), [.. proposal.Voters.Select(uid => state.Members[uid.Value].Name)],
            proposal.Bond, proposal.BondTotal))]);

    private static string[] Said(IReadOnlyList<RuleChange> changes) => [.. changes.Select(ChangeableRule.Say)];
}

/// <summary>The rules of a run that votes can change, as its folder's ledger shows them.</summary>
/// <param name="Run">Its name.</param>
/// <param name="Round">The round.</param>
/// <param name="Rounds">Rounds in all.</param>
/// <param name="Now">Every such rule.</param>
/// <param name="Votes">What votes have made of them.</param>
public sealed record RunRulesNow(string Run, int Round, int Rounds, IReadOnlyList<RuleNow> Now, RulesSummary Votes, AnnealRules? Anneal)
{
    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, RulesSummaryJson.Default.RunRulesNow);

    /// <summary>Reads it; writes nothing, and may be called while the run goes on.</summary>
    /// <param name="directory">The run.</param>
    /// <exception cref="Base.InputException">There is no run, or its files are damaged.</exception>
    public static RunRulesNow Read(RunDirectory directory)
    {
        var rules = RunSetup.ReadRules(directory);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var book = new RulesBook(rules);
        book.Follow(state);
        var now = book.At(state.CurrentRound);
        return new RunRulesNow(
            rules.Name, state.CurrentRound.Number, rules.Round.Rounds,
            [.. ChangeableRule.All.Select(rule => new RuleNow(rule.Name, rule.Say(now.ValueOf(rule.Rule))))], RulesSummary.Of(state), rules.Anneal);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunRulesNow))]
internal sealed partial class RulesSummaryJson : JsonSerializerContext;
