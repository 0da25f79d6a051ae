using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Yuma as a subnet of Bittensor runs it at the end of an epoch, bit for bit: numbers as its chain stores them in, numbers as its chain
/// stores them out. Tier T1, and pure.</summary>
/// <remarks>The epoch of subtensor, spec version 293, checked against epochs of that runtime: <c>cairn lab yuma</c>. Formulas: docs/consensus.md.
/// Cost: validators × uids, times the sorting of one median.</remarks>
public static class YumaConsensus
{
    /// <summary>The runtime whose rules these are.</summary>
    public const int SpecVersion = 293;

    /// <summary>Runs one epoch.</summary>
    /// <param name="epoch">A state whose lists have one length, within the ranges they tell.</param>
    /// <param name="rules">The hyperparameters.</param>
    public static YumaOutcome Run(YumaEpoch epoch, YumaRules rules)
    {
        var n = epoch.Uids;
        Invariant.Check(n is > 0 and <= YumaEpoch.UidsMax && epoch.Permits.Count == n);
        Invariant.Check(rules.BondsMovingAverage is >= 0 and <= YumaRules.BondsMovingAverageMax);
        var active = Enumerable.Range(0, n).Select(i => epoch.Clock?.IsActive(i) ?? true).ToArray();
        var stake = Stake(epoch.Stake);
        var core = YumaCore.Run(
            new CoreEpoch(stake, [.. epoch.Permits], active, epoch.OwnerUid, Opinions(epoch), Bonds(epoch, rules.Version3)), rules.ToSettings());
        return new YumaOutcome(
            Stored(core.Consensus), Stored(core.Incentive), Stored(core.Dividends), Stored(core.Trust), Stored(core.ValidatorTrust),
            core.Permits, active, StoredBonds(epoch, core), Pay(stake, core));
    }

    private static Fixed32[] Stake(IReadOnlyList<ulong> amounts)
    {
        var sum = amounts.Aggregate(UInt128.Zero, static (sum, amount) => sum + amount);
        Invariant.Check(sum <= long.MaxValue);
        return [.. amounts.Select(amount => sum == 0 ? Fixed32.Zero : Fixed32.Ratio(amount, sum))];
    }

    private static Cell[][] Opinions(YumaEpoch epoch)
    {
        var rows = Cells(epoch.Opinions, epoch.Uids, static value => Fixed32.Of(value));
        return epoch.Clock is { } clock ? Rows.Where(rows, (i, j) => !clock.IsOpinionVoid(i, j)) : rows;
    }

    // In version 2 columns are divided by their sums, so that the unit does not matter but for rounding; it is that of the runtime.
    private static Cell[][] Bonds(YumaEpoch epoch, bool version3)
    {
        var rows = Cells(epoch.Bonds, epoch.Uids, value => version3 ? Fixed32.OfU16(value) : Fixed32.Of(value));
        return epoch.Clock is { } clock ? Rows.Where(rows, (_, j) => !clock.IsBondVoid(j)) : rows;
    }

    private static Cell[][] Cells(IReadOnlyList<Score[]> rows, int n, Func<ushort, Fixed32> read)
    {
        Invariant.Check(rows.Count == n);
        return [.. rows.Select(row => row.Where(score => score.Uid < n).Select(score => new Cell(score.Uid, read(score.Value))).ToArray())];
    }

    private static Score[][] StoredBonds(YumaEpoch epoch, CoreOutcome core)
    {
        var rows = new Score[epoch.Uids][];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = core.Permits[i] ? [.. core.Bonds[i].Select(cell => new Score((ushort)cell.Column, cell.Value.ToU16()))]
                : epoch.Permits[i] ? []
                : epoch.Bonds[i];
        }

        return rows;
    }

    private static Fixed32[] Pay(Fixed32[] stake, CoreOutcome core)
    {
        Fixed32[] earned = [.. core.Incentive.Zip(core.Dividends, static (incentive, dividend) => incentive + dividend)];
        return Rows.Sum(earned) != Fixed32.Zero ? Rows.Normalise(earned)
            : Rows.Sum(core.ActiveStake) != Fixed32.Zero ? core.ActiveStake
            : stake;
    }

    private static ushort[] Stored(Fixed32[] proportions) => Array.ConvertAll(proportions, static value => value.ToU16());
}
