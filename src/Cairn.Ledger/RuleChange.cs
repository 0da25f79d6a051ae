using System.Globalization;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>The rules that a vote may change while a run goes on. All others stay as they were when it began: what names the run (seed, model, data) and what sizes,
/// schedules and everybody's samples follow from.</summary>
public enum Rule
{
    /// <summary><see cref="LedgerRules.RewardPerSettlement"/>.</summary>
    RewardPerSettlement = 1,

    /// <summary><see cref="LedgerRules.DividendShare"/>.</summary>
    DividendShare = 2,

    /// <summary><see cref="LedgerRules.AuditShare"/>.</summary>
    AuditShare = 3,

    /// <summary><see cref="LedgerRules.PeerBondMin"/>.</summary>
    PeerBondMin = 4,

    /// <summary><see cref="LedgerRules.ValidatorBondMin"/>.</summary>
    ValidatorBondMin = 5,

    /// <summary><see cref="LedgerRules.NewcomerShareMax"/>.</summary>
    NewcomerShareMax = 6,

    /// <summary><see cref="LedgerRules.AbsentRoundsMax"/>.</summary>
    AbsentRoundsMax = 7,

    /// <summary><see cref="LedgerRules.ExitDelayRounds"/>.</summary>
    ExitDelayRounds = 8,

    /// <summary><see cref="LedgerRules.AccusationRounds"/>.</summary>
    AccusationRounds = 9,

    /// <summary><see cref="LedgerRules.EquivocationSlash"/>.</summary>
    EquivocationSlash = 10,

    /// <summary><see cref="LedgerRules.FaultSlash"/>.</summary>
    FaultSlash = 11,

    /// <summary><see cref="LedgerRules.Kappa"/>.</summary>
    Kappa = 12,

    /// <summary><see cref="LedgerRules.BackingMovingAverage"/>.</summary>
    BackingMovingAverage = 13,

    /// <summary><see cref="LedgerRules.BackingPenalty"/>.</summary>
    BackingPenalty = 14,

    /// <summary>After how many seconds a validator may call a stage over. This and those below are agreed on here, and followed by the nodes.</summary>
    StageSecondsMax = 15,

    /// <summary>Peers whose loss a validator probes in a round.</summary>
    ProbedPeers = 16,

    /// <summary>Two updates that share this much of their indices are not both honest, in thousandths.</summary>
    OverlapPerMille = 17,

    /// <summary>The part of the outer rate by which a probe applies one update alone, in billionths.</summary>
    ProbeStep = 18,

    /// <summary>The step along the combined update, in billionths.</summary>
    OuterRate = 19,

    /// <summary>The inner learning rate after warm-up, in billionths.</summary>
    PeakRate = 20,
}

/// <summary>A new value of a rule.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Value">In the unit that <see cref="ChangeableRule"/> names.</param>
public readonly record struct RuleChange(Rule Rule, long Value);

/// <summary>What may become of a rule by a vote.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Name">Its name in the rules of the run, as people write it.</param>
/// <param name="Min">The least value.</param>
/// <param name="Max">The largest value.</param>
/// <param name="Scale">How many units make one of what people write: 1, or <see cref="Shares.One"/> for a number with a fraction.</param>
public sealed record ChangeableRule(Rule Rule, string Name, long Min, long Max, long Scale)
{
    private const int CountLimit = 1_000_000;

    /// <summary>All of them, in order.</summary>
    public static IReadOnlyList<ChangeableRule> All { get; } =
    [
        new(Rule.RewardPerSettlement, "rewardPerSettlement", 0, LedgerRules.MoneyLimit, 1),
        new(Rule.DividendShare, "dividendShare", 0, Shares.One, 1),
        new(Rule.AuditShare, "auditShare", 0, Shares.One, 1),
        new(Rule.PeerBondMin, "peerBondMin", 1, LedgerRules.MoneyLimit, 1),
        new(Rule.ValidatorBondMin, "validatorBondMin", 1, LedgerRules.MoneyLimit, 1),
        new(Rule.NewcomerShareMax, "newcomerShareMax", 1, Shares.One, 1),
        new(Rule.AbsentRoundsMax, "absentRoundsMax", 1, CountLimit, 1),
        new(Rule.ExitDelayRounds, "exitDelayRounds", 0, CountLimit, 1),
        new(Rule.AccusationRounds, "accusationRounds", 0, CountLimit, 1),
        new(Rule.EquivocationSlash, "equivocationSlash", 0, Shares.One, 1),
        new(Rule.FaultSlash, "faultSlash", 0, Shares.One, 1),
        new(Rule.Kappa, "kappa", 1, Shares.One, 1),
        new(Rule.BackingMovingAverage, "backingMovingAverage", 0, Shares.One, 1),
        new(Rule.BackingPenalty, "backingPenalty", 0, Shares.One, 1),
        new(Rule.StageSecondsMax, "stageSecondsMax", 1, CountLimit, 1),
        new(Rule.ProbedPeers, "probedPeers", 0, LedgerRules.PeersLimit, 1),
        new(Rule.OverlapPerMille, "overlapPerMille", 1, 500, 1),
        new(Rule.ProbeStep, "probeStep", 1, Shares.One, Shares.One),
        new(Rule.OuterRate, "outerRate", 1, 4 * Shares.One, Shares.One),
        new(Rule.PeakRate, "peakRate", 1, Shares.One, Shares.One),
    ];

    /// <summary>The one of a rule, or null if no vote can change it.</summary>
    /// <param name="rule">From anywhere.</param>
    public static ChangeableRule? Of(Rule rule) => rule >= Rule.RewardPerSettlement && (int)rule <= All.Count ? All[(int)rule - 1] : null;

    /// <summary>A value as people write it: with a fraction where the rules of the run have one.</summary>
    /// <param name="value">In units.</param>
    public string Say(long value) => ((decimal)value / Scale).ToString(CultureInfo.InvariantCulture);

    /// <summary>A change as people write it: name=value.</summary>
    /// <param name="change">A well-formed one.</param>
    public static string Say(RuleChange change) => Of(change.Rule) is { } rule ? $"{rule.Name}={rule.Say(change.Value)}" : change.ToString();

    /// <summary>Reads a change as people write it.</summary>
    /// <param name="text">name=value, the value as in the rules of the run.</param>
    /// <exception cref="InputException">No vote can change a rule of that name, or not to that value; the sentence says what can be.</exception>
    public static RuleChange Read(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        var name = at < 0 ? text : text[..at];
        var rule = All.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new InputException($"no vote can change '{name}': what can be changed is {string.Join(", ", All.Select(known => known.Name))}.");
        return decimal.TryParse(at < 0 ? "" : text[(at + 1)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
            && value * rule.Scale is var units && units == decimal.Truncate(units) && units >= rule.Min && units <= rule.Max
            ? new RuleChange(rule.Rule, (long)units)
            : throw new InputException($"'{text}' is no value of {rule.Name}: write {rule.Name}={rule.Say(rule.Min)} to {rule.Name}={rule.Say(rule.Max)}.");
    }

    /// <summary>True if these are changes as a vote may name them: each rule once, in order, within its range; at least one.</summary>
    /// <param name="changes">From anywhere.</param>
    public static bool AreWellFormed(IReadOnlyList<RuleChange>? changes)
    {
        var last = (Rule)0;
        foreach (var (rule, value) in changes ?? [])
        {
            if (rule <= last || Of(rule) is not { } known || value < known.Min || value > known.Max)
            {
                return false;
            }

            last = rule;
        }

        return changes is { Count: > 0 };
    }

    /// <summary>The ledger's rules with changes in them; those that the ledger does not enforce leave them as they are.</summary>
    /// <param name="rules">Before.</param>
    /// <param name="changes">Well-formed ones.</param>
    public static LedgerRules In(LedgerRules rules, IReadOnlyList<RuleChange> changes) => changes.Aggregate(rules, static (now, change) => change.Rule switch
    {
        Rule.RewardPerSettlement => now with { RewardPerSettlement = change.Value },
        Rule.DividendShare => now with { DividendShare = change.Value },
        Rule.AuditShare => now with { AuditShare = change.Value },
        Rule.PeerBondMin => now with { PeerBondMin = change.Value },
        Rule.ValidatorBondMin => now with { ValidatorBondMin = change.Value },
        Rule.NewcomerShareMax => now with { NewcomerShareMax = change.Value },
        Rule.AbsentRoundsMax => now with { AbsentRoundsMax = (int)change.Value },
        Rule.ExitDelayRounds => now with { ExitDelayRounds = (int)change.Value },
        Rule.AccusationRounds => now with { AccusationRounds = (int)change.Value },
        Rule.EquivocationSlash => now with { EquivocationSlash = change.Value },
        Rule.FaultSlash => now with { FaultSlash = change.Value },
        Rule.Kappa => now with { Kappa = change.Value },
        Rule.BackingMovingAverage => now with { BackingMovingAverage = change.Value },
        Rule.BackingPenalty => now with { BackingPenalty = change.Value },
        _ => now,
    });
}
