using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A place in a chain's history: everything up to a block.</summary>
/// <param name="Number">Height of the block.</param>
/// <param name="Hash">Which block of that height.</param>
/// <param name="Record">What was said of the run up to there.</param>
public readonly record struct ChainPlace(ulong Number, Digest Hash, EventRecord Record = default);

/// <summary>What a look at the chain brought.</summary>
/// <param name="KeptUpTo">Height up to which what was seen before still stands: what came after it is taken back.</param>
/// <param name="New">What stands there now, in order.</param>
/// <param name="Final">Everything up to here is as deep as the follower asks, and is never taken back.</param>
public sealed record ChainStep(ulong KeptUpTo, IReadOnlyList<ChainLog> New, ChainPlace Final);

/// <summary>How a chain is followed.</summary>
/// <param name="Contract">Who speaks.</param>
/// <param name="Run">Of which run.</param>
/// <param name="Confirmations">Blocks that must stand on one before it is final.</param>
public sealed record ChainFollowing(EvmAddress Contract, Digest Run, ulong Confirmations)
{
    /// <summary>How long all nodes may know fewer blocks than one of them has shown before it is taken for a chain that has become shorter.</summary>
    public TimeSpan LagMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
