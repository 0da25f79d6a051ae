using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>How far a validator has backed a peer over the last settlements (a "bond" in Yuma's words).</summary>
/// <param name="Peer">Whom.</param>
/// <param name="Bits">Times 2⁻³²: above 0, at most 2³² (the whole).</param>
public readonly record struct Backing(Uid Peer, long Bits);

/// <summary>What a validator brings to a settlement.</summary>
/// <param name="Uid">Who.</param>
/// <param name="Bond">What it has at stake: 0 or more, any unit.</param>
/// <param name="Shares">What it posted: ascending by uid, each 0…One, sum One or empty; null if it posted nothing, and then its bond does not count.</param>
/// <param name="Backings">As the last settlement left them; empty before the first.</param>
public sealed record EpochVoter(Uid Uid, long Bond, IReadOnlyList<ShareEntry>? Shares, IReadOnlyList<Backing> Backings);

/// <summary>The rules of the consensus, all in billionths (<see cref="Shares.One"/> is the whole).</summary>
public sealed record EpochRules
{
    /// <summary>How much of the bond must support a share for it to count: above 0, at most One. Just more than half by default: those with exactly
    /// half of the bond can raise nothing.</summary>
    public long Kappa { get; init; } = (Shares.One / 2) + 1;

    /// <summary>0: backings follow what a validator posted; One: what the consensus left of it.</summary>
    public long BackingPenalty { get; init; } = Shares.One;

    /// <summary>What is kept of the backings of the last settlement: 0 to One. At One they never change, and nobody without any earns.</summary>
    public long BackingMovingAverage { get; init; } = Shares.One / 10 * 9;

    internal YumaSettings ToSettings()
    {
        Invariant.Check(Kappa is > 0 and <= Shares.One);
        Invariant.Check(BackingPenalty is >= 0 and <= Shares.One);
        Invariant.Check(BackingMovingAverage is >= 0 and <= Shares.One);
        return new YumaSettings(Part(Kappa), Part(BackingPenalty), Fixed32.One - Part(BackingMovingAverage), null, Version3: true, int.MaxValue);
    }

    private static Fixed32 Part(long billionths) => Fixed32.Ratio((ulong)billionths, (ulong)Shares.One);
}

/// <summary>What a settlement divides, and what the next one begins with.</summary>
/// <param name="Incentives">The part of each peer in the pay of peers, ascending by uid, each above 0; sum exactly One, or empty if nothing was agreed.</param>
/// <param name="Dividends">The part of each validator in the pay of validators, the same; empty if no validator holds a backing that pays.</param>
/// <param name="Backings">For each voter, in the order given; ascending by peer.</param>
/// <param name="Agreed">How much of what was said was agreed on, before it was divided anew: the sum of the consensus in billionths, 0 to One.</param>
public sealed record EpochShares(
    IReadOnlyList<ShareEntry> Incentives, IReadOnlyList<ShareEntry> Dividends, IReadOnlyList<IReadOnlyList<Backing>> Backings, long Agreed);

/// <summary>Yuma 3 for the ledger's settlement: posted shares, each counted by bond, become shares for peers and for validators that sum to exactly
/// one. Tier T1, and pure.</summary>
/// <remarks>The same core as <see cref="YumaConsensus"/>, without the 16-bit numbers between epochs: what is kept has 32 bits after the point. One rule differs:
/// peers are paid by the consensus itself, not by rank, so that a minority of the bond can move nobody's pay (docs/consensus.md says how it could).</remarks>
public static class EpochConsensus
{
    /// <summary>Runs one settlement.</summary>
    /// <param name="voters">Ascending by uid, as on the ledger.</param>
    /// <param name="rules">Within their ranges.</param>
    public static EpochShares Settle(IReadOnlyList<EpochVoter> voters, EpochRules rules)
    {
        for (var i = 1; i < voters.Count; i++)
        {
            Invariant.Check(voters[i - 1].Uid < voters[i].Uid);
        }

        // Every uid that anybody names has one place, in order. A validator that names itself is not heard about itself.
        var uids = voters.Select(voter => voter.Uid)
            .Concat(voters.SelectMany(voter => (voter.Shares ?? []).Select(entry => entry.Uid)))
            .Concat(voters.SelectMany(voter => voter.Backings.Select(backing => backing.Peer)))
            .Distinct().Order().ToArray();
        var places = uids.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        var core = YumaCore.Run(EpochOf(voters, places), rules.ToSettings());
        return new EpochShares(
            Exactly(uids, core.Consensus),
            Exactly(uids, core.Dividends),
            [.. voters.Select(voter => BackingsOf(uids, core.Bonds[places[voter.Uid]]))],
            (long)Int128.Min(Shares.One, (Int128)Rows.Sum(core.Consensus).Bits * Shares.One / Fixed32.One.Bits));
    }

    private static CoreEpoch EpochOf(IReadOnlyList<EpochVoter> voters, Dictionary<Uid, int> places)
    {
        var n = places.Count;
        var epoch = new CoreEpoch(new Fixed32[n], new bool[n], new bool[n], -1, new Cell[n][], new Cell[n][]);
        Array.Fill(epoch.Opinions, []);
        Array.Fill(epoch.Bonds, []);
        var bonds = voters.Aggregate(UInt128.Zero, static (sum, voter) => sum + Amount(voter.Bond));
        foreach (var voter in voters)
        {
            var place = places[voter.Uid];
            epoch.Stake[place] = bonds == 0 ? Fixed32.Zero : Fixed32.Ratio(Amount(voter.Bond), bonds);
            epoch.Permits[place] = true;
            epoch.Active[place] = voter.Shares is not null;
            epoch.Opinions[place] = [.. (voter.Shares ?? []).Select(entry => new Cell(places[entry.Uid], Fixed32.Of(Within(entry.Share, Shares.One))))];
            epoch.Bonds[place] = [.. voter.Backings.Select(backing => new Cell(places[backing.Peer], new Fixed32(Within(backing.Bits, Fixed32.One.Bits))))];
        }

        return epoch;
    }

    private static ShareEntry[] Exactly(Uid[] uids, Fixed32[] parts)
    {
        if (Rows.Sum(parts) == Fixed32.Zero)
        {
            return [];
        }

        var shares = Consensus.Divide(Shares.One, [.. parts.Select(part => part.Bits)]);
        return [.. uids.Zip(shares, static (uid, share) => new ShareEntry(uid, share)).Where(entry => entry.Share > 0)];
    }

    private static Backing[] BackingsOf(Uid[] uids, Cell[] row) => [.. row.Select(cell => new Backing(uids[cell.Column], cell.Value.Bits))];

    private static ulong Amount(long bond) => (ulong)Within(bond, long.MaxValue);

    private static long Within(long value, long max)
    {
        Invariant.Check(value >= 0 && value <= max);
        return value;
    }
}
