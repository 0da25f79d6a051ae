using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol;

/// <summary>Bonds, pay and discipline, as the ledger enforces them; parts are in billionths.</summary>
/// <param name="RewardPerSettlement">What a settlement pays out in all.</param>
/// <param name="DividendShare">The part of it that validators earn.</param>
/// <param name="AuditShare">The part of it that is laid aside for audits.</param>
/// <param name="PeerBondMin">A peer with less is a newcomer.</param>
/// <param name="ValidatorBondMin">A validator with less has no voice.</param>
/// <param name="NewcomerShareMax">The largest part of a manifest that all newcomers together have.</param>
/// <param name="AbsentRoundsMax">Rounds in a row that a member is waited for though it is absent.</param>
/// <param name="ExitDelayRounds">Rounds for which the bond of one who leaves can still be cut.</param>
/// <param name="AccusationRounds">Rounds after which contradicting statements are no longer held against their author.</param>
/// <param name="EquivocationSlash">The part of its bond that a member loses for contradicting itself.</param>
/// <param name="FaultSlash">The part of its bond that a member loses for a fault the validators vote on.</param>
/// <param name="Kappa">κ of the consensus on shares.</param>
/// <param name="BackingMovingAverage">How much a settlement keeps of what validators backed before.</param>
/// <param name="BackingPenalty">How far shares above the consensus are cut before they back a peer.</param>
public sealed record MoneyRules(
    long RewardPerSettlement, long DividendShare, long AuditShare, long PeerBondMin, long ValidatorBondMin, long NewcomerShareMax, int AbsentRoundsMax,
    int ExitDelayRounds, int AccusationRounds, long EquivocationSlash, long FaultSlash, long Kappa, long BackingMovingAverage, long BackingPenalty)
{
    /// <summary>The ledger's own defaults.</summary>
    public static MoneyRules Default { get; } = Of(Smallest);

    private static LedgerRules Smallest => new() { Seed = 0, Rounds = 1, PeersMax = 1, SampleCount = 1, SamplesPerPeer = 1, SettleEvery = 1 };

    /// <summary>What is wrong with these values, alone and among each other, as sentences.</summary>
    public IReadOnlyList<string> Faults() => In(Smallest).Faults();

    /// <summary>A ledger's rules with these values in them.</summary>
    /// <param name="rules">Any.</param>
    public LedgerRules In(LedgerRules rules) => rules with
    {
        RewardPerSettlement = RewardPerSettlement,
        DividendShare = DividendShare,
        AuditShare = AuditShare,
        PeerBondMin = PeerBondMin,
        ValidatorBondMin = ValidatorBondMin,
        NewcomerShareMax = NewcomerShareMax,
        AbsentRoundsMax = AbsentRoundsMax,
        ExitDelayRounds = ExitDelayRounds,
        AccusationRounds = AccusationRounds,
        EquivocationSlash = EquivocationSlash,
        FaultSlash = FaultSlash,
        Kappa = Kappa,
        BackingMovingAverage = BackingMovingAverage,
        BackingPenalty = BackingPenalty,
    };

    internal void Write(WireWriter writer)
    {
        foreach (var value in (ReadOnlySpan<long>)[
            RewardPerSettlement, DividendShare, AuditShare, PeerBondMin, ValidatorBondMin, NewcomerShareMax, EquivocationSlash, FaultSlash,
            Kappa, BackingMovingAverage, BackingPenalty])
        {
            writer.Int64(value);
        }

        foreach (var value in (ReadOnlySpan<int>)[AbsentRoundsMax, ExitDelayRounds, AccusationRounds])
        {
            writer.Int32(value);
        }
    }

    internal static MoneyRules Of(LedgerRules rules) => new(
        rules.RewardPerSettlement, rules.DividendShare, rules.AuditShare, rules.PeerBondMin, rules.ValidatorBondMin, rules.NewcomerShareMax, rules.AbsentRoundsMax,
        rules.ExitDelayRounds, rules.AccusationRounds, rules.EquivocationSlash, rules.FaultSlash, rules.Kappa, rules.BackingMovingAverage, rules.BackingPenalty);
}
