namespace Cairn.Ledger;

/// <summary>A number that one uid holds about another: an opinion that it posted, or its bond.</summary>
/// <param name="Uid">About whom.</param>
/// <param name="Value">0 to 65535.</param>
public readonly record struct Score(ushort Uid, ushort Value);

/// <summary>When things happened, in blocks: who is active, and what is out of date.</summary>
/// <param name="Block">Now.</param>
/// <param name="Tempo">Blocks between epochs: bonds to who registered since the last one are void.</param>
/// <param name="ActivityCutoff">Blocks after which a uid that has posted nothing is inactive.</param>
/// <param name="LastUpdate">When each uid posted its opinions.</param>
/// <param name="Registered">When each uid was taken by who holds it now. An opinion that is not younger than that of whom it speaks is void.</param>
public sealed record YumaClock(ulong Block, ulong Tempo, ulong ActivityCutoff, IReadOnlyList<ulong> LastUpdate, IReadOnlyList<ulong> Registered)
{
    internal bool IsActive(int uid) => (UInt128)LastUpdate[uid] + ActivityCutoff >= Block;

    internal bool IsOpinionVoid(int from, int about) => LastUpdate[from] <= Registered[about];

    internal bool IsBondVoid(int to) => Block - Math.Min(Block, Tempo) <= Registered[to];
}

/// <summary>What a subnet holds when an epoch ends; lists have one entry for each of n uids.</summary>
public sealed record YumaEpoch
{
    /// <summary>The most uids.</summary>
    public const int UidsMax = 1024;

    /// <summary>1 to <see cref="UidsMax"/> amounts, in any unit; those below the threshold of the subnet already 0. Their sum is below 2⁶³.</summary>
    public required IReadOnlyList<ulong> Stake { get; init; }

    /// <summary>Who may validate in this epoch.</summary>
    public required IReadOnlyList<bool> Permits { get; init; }

    /// <summary>What each uid posted, no uid twice in a row. Entries about uids from n on are passed over.</summary>
    public required IReadOnlyList<Score[]> Opinions { get; init; }

    /// <summary>The stored bonds of each uid, no uid twice in a row and all below n.</summary>
    public required IReadOnlyList<Score[]> Bonds { get; init; }

    /// <summary>The uid of the owner, whose opinion of itself counts; −1 for none.</summary>
    public int OwnerUid { get; init; } = -1;

    /// <summary>Times; null if all are active and nothing is out of date.</summary>
    public YumaClock? Clock { get; init; }

    /// <summary>n.</summary>
    public int Uids => Stake.Count;
}

/// <summary>What the chain stores after an epoch; one entry for each uid, proportions in 65535ths, rounded down.</summary>
/// <param name="Consensus">The score that the stake agrees on.</param>
/// <param name="Incentive">The part of each peer in the pay of peers. Its rank is the same number.</param>
/// <param name="Dividends">The part of each validator in the pay of validators.</param>
/// <param name="Trust">What the consensus left of the rank of each peer.</param>
/// <param name="ValidatorTrust">What the consensus left of the opinions of each validator.</param>
/// <param name="Permits">Who may validate in the next epoch.</param>
/// <param name="Active">Who was active.</param>
/// <param name="Bonds">The bonds to be stored. Empty for who lost the permit; what they were for who had none and has none.</param>
/// <param name="Pay">The part of each uid in all pay, half of it for peers and half for validators; by stake where nothing was agreed.</param>
public sealed record YumaOutcome(
    IReadOnlyList<ushort> Consensus, IReadOnlyList<ushort> Incentive, IReadOnlyList<ushort> Dividends, IReadOnlyList<ushort> Trust,
    IReadOnlyList<ushort> ValidatorTrust, IReadOnlyList<bool> Permits, IReadOnlyList<bool> Active, IReadOnlyList<Score[]> Bonds, IReadOnlyList<Fixed32> Pay);
