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

    /// <summary>The round in which it left for good, or −1.</summary>
    public int LeftInRound { get; init; } = -1;

    /// <summary>True once it has left: never again in a roster, without a voice.</summary>
    public bool HasLeft => LeftInRound >= 0;

    /// <summary>Where it says its objects are (<see cref="Announce"/>); empty as long as it has said nothing: then they are where the run's are.</summary>
    public string Place { get; init; } = "";

    /// <summary>The round of its last announcement, or −1.</summary>
    public int AnnouncedInRound { get; init; } = -1;

    /// <summary>Samples that it trains on in a round, as it declared; 0 for those of the rules.</summary>
    public int Samples { get; init; }

    /// <summary>The round of its last declaration, or −1.</summary>
    public int DeclaredInRound { get; init; } = -1;

    /// <summary>What it earned and may spend.</summary>
    public long Reward { get; init; }
}

/// <summary>A cut of a member's bond: burned, so that nobody gains by another's fault.</summary>
/// <param name="Round">When.</param>
/// <param name="Uid">Whose.</param>
/// <param name="Reason">Why: Equivocation where the ledger saw the proof itself, else what the voters said.</param>
/// <param name="Evidence">Names the proof; one cut for each.</param>
/// <param name="Amount">What was cut.</param>
public readonly record struct Slash(Round Round, Uid Uid, Rejection Reason, Digest Evidence, long Amount);

/// <summary>A place in a round.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Newcomer">True if its bond was below <see cref="LedgerRules.PeerBondMin"/> when the round opened.</param>
public readonly record struct RosterEntry(Uid Uid, bool Newcomer);
