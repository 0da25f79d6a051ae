using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>A registered member as the ledger sees it now.</summary>
public sealed record Member
{
    /// <summary>Its number, in order of registration.</summary>
    public required Uid Uid { get; init; }

    /// <summary>Peer or validator.</summary>
    public required Role Role { get; init; }

    /// <summary>What people call it; not unique.</summary>
    public required string Name { get; init; }

    /// <summary>What it signs with; unique.</summary>
    public required PublicKey Key { get; init; }

    /// <summary>What it staked, or a peer earned in probation.</summary>
    public required long Bond { get; init; }

    /// <summary>Of a validator: whose preimage it reveals next. Zero for a peer.</summary>
    public required Digest ChainTip { get; init; }

    /// <summary>Rounds in a row in which it left something undone that was waited for.</summary>
    public int AbsentRounds { get; init; }

    /// <summary>False after too many <see cref="AbsentRounds"/>, until it acts again: an inactive peer is in no roster, an inactive
    /// validator is not waited for.</summary>
    public bool Active { get; init; } = true;

    /// <summary>What it earned and may spend.</summary>
    public long Reward { get; init; }
}

/// <summary>A place in a round.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Newcomer">True if its bond was below <see cref="LedgerRules.PeerBondMin"/> when the round opened.</param>
public readonly record struct RosterEntry(Uid Uid, bool Newcomer);
