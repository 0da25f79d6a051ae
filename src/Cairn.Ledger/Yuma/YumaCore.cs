using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>One epoch of Yuma in fixed point: opinions of validators, each counted by its stake, become pay for peers (incentive) and for the
/// validators who saw it early (dividends). Tier T1.</summary>
/// <remarks>The formulas stand in docs/consensus.md in this order. Every sum is exact, so the order of uids decides nothing but ties for permits.</remarks>
internal static class YumaCore
{
    /// <summary>Runs the epoch.</summary>
    /// <param name="epoch">n uids.</param>
    /// <param name="settings">The rules.</param>
    public static CoreOutcome Run(CoreEpoch epoch, YumaSettings settings)
    {
        var n = epoch.Stake.Length;
        Invariant.Check(epoch.Permits.Length == n && epoch.Active.Length == n && epoch.Opinions.Length == n && epoch.Bonds.Length == n);
        var stake = ActiveStake(epoch);
        var said = Said(epoch);
        var consensus = Consensus(stake, said, settings.Kappa);

        // A score above the consensus counts as the consensus.
        var clipped = Clip(said, consensus);
        var ranks = Rows.ColumnSums(clipped, stake, n);
        var incentive = Rows.Normalise(ranks);
        var before = Rows.ColumnSums(said, stake, n);
        var forBonds = Blend(said, clipped, n, settings.BondsPenalty);
        var (bonds, dividends) = settings.Version3
            ? Version3(forBonds, epoch.Bonds, stake, incentive, consensus, settings)
            : Version2(forBonds, epoch.Bonds, stake, incentive, settings);
        return new CoreOutcome(
            stake, consensus, incentive, [.. ranks.Zip(before, static (after, all) => after / all)], Rows.RowSums(clipped), dividends, bonds,
            NewPermits(epoch.Stake, settings.PermitsMax));
    }

    private static Fixed32[] ActiveStake(CoreEpoch epoch)
    {
        var stake = (Fixed32[])epoch.Stake.Clone();
        for (var i = 0; i < stake.Length; i++)
        {
            stake[i] = epoch.Active[i] && epoch.Permits[i] ? stake[i] : Fixed32.Zero;
        }

        return Rows.Normalise(stake);
    }

    // Only who may validate is heard, and only the owner of itself.
    private static Cell[][] Said(CoreEpoch epoch) =>
        Rows.NormaliseRows(Rows.Where(epoch.Opinions, (i, j) => epoch.Permits[i] && (i != j || i == epoch.OwnerUid)));

    private static Fixed32[] Consensus(Fixed32[] stake, Cell[][] said, Fixed32 kappa)
    {
        var voters = Enumerable.Range(0, stake.Length).Where(i => stake[i] > Fixed32.Zero).ToArray();
        var stakes = Rows.Normalise([.. voters.Select(i => stake[i])]);
        var whole = Rows.Sum(stakes);
        var scores = new Fixed32[stake.Length][];
        for (var j = 0; j < scores.Length; j++)
        {
            scores[j] = new Fixed32[voters.Length];
        }

        for (var k = 0; k < voters.Length; k++)
        {
            foreach (var (column, value) in said[voters[k]])
            {
                scores[column][k] = value;
            }
        }

        return Array.ConvertAll(scores, column => StakeMedian.Of(stakes, column, whole - kappa, whole));
    }

    // Where nothing is agreed, an entry above 0 is not there at all; one that says 0 stays.
    private static Cell[][] Clip(Cell[][] said, Fixed32[] consensus) => Rows.Map(
        Array.ConvertAll(said, row => Array.FindAll(row, cell => cell.Value <= consensus[cell.Column] || consensus[cell.Column] > Fixed32.Zero)),
        (_, cell) => Fixed32.Smaller(cell.Value, consensus[cell.Column]));

    // said + penalty · (clipped − said); at 0 and 1 exactly one of them, entries that say 0 included.
    private static Cell[][] Blend(Cell[][] said, Cell[][] clipped, int n, Fixed32 penalty)
    {
        if (penalty == Fixed32.Zero || penalty == Fixed32.One)
        {
            return penalty == Fixed32.Zero ? said : clipped;
        }

        var result = new Cell[said.Length][];
        for (var i = 0; i < said.Length; i++)
        {
            var row = Rows.Dense(said[i], n);
            var limited = Rows.Dense(clipped[i], n);
            for (var j = 0; j < n; j++)
            {
                row[j] += penalty * (limited[j] - row[j]);
            }

            result[i] = Rows.Positive(row);
        }

        return result;
    }

    // Yuma 2: a bond is a part of what all validators together hold of a peer, bought by stake times opinion.
    private static (Cell[][] Bonds, Fixed32[] Dividends) Version2(
        Cell[][] forBonds, Cell[][] stored, Fixed32[] stake, Fixed32[] incentive, YumaSettings settings)
    {
        var n = stake.Length;
        var bought = Rows.NormaliseColumns(Rows.Map(forBonds, (i, cell) => cell.Value * stake[i]), n);
        var moved = BondsEma.Move(bought, Rows.NormaliseColumns(stored, n), settings.Rate, n);
        var bonds = Rows.NormaliseColumns(moved, n);
        return (Rows.RaiseColumns(bonds, n), Rows.Normalise(Rows.RowSums(bonds, incentive)));
    }

    // Yuma 3: a bond follows the opinion, whatever the stake; stake counts when dividends are divided.
    private static (Cell[][] Bonds, Fixed32[] Dividends) Version3(
        Cell[][] forBonds, Cell[][] stored, Fixed32[] stake, Fixed32[] incentive, Fixed32[] consensus, YumaSettings settings)
    {
        var n = stake.Length;
        var bonds = settings.Liquid is { } alpha && Array.Exists(consensus, score => score != Fixed32.Zero)
            ? BondsEma.MoveLiquid(forBonds, stored, consensus, alpha)
            : BondsEma.Move(forBonds, stored, settings.Rate, n);
        var earned = Rows.RowSums(Rows.NormaliseColumns(bonds, n), incentive);
        return (bonds, Rows.Normalise([.. earned.Zip(stake, static (part, own) => part * own)]));
    }

    // The largest stakes above 0; of equal ones the higher uid, for the published runtime strikes out from the front of an ascending stable order.
    private static bool[] NewPermits(Fixed32[] stake, int permitsMax)
    {
        var permits = Array.ConvertAll(stake, own => own != Fixed32.Zero);
        foreach (var i in Enumerable.Range(0, stake.Length).OrderBy(i => stake[i].Bits).Take(Math.Max(0, stake.Length - permitsMax)))
        {
            permits[i] = false;
        }

        return permits;
    }
}
