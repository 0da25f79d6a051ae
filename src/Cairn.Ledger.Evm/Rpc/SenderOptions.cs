namespace Cairn.Ledger.Evm;

/// <summary>How an account's transactions are sent.</summary>
public sealed record SenderOptions
{
    /// <summary>The chain that is signed for; null to take it from the node, where only one is asked and trusted with it.</summary>
    public ulong? ChainId { get; init; }

    /// <summary>Blocks that must stand on the one with the transaction before it is done; 0 to be content with the block itself.</summary>
    public ulong Confirmations { get; init; }

    /// <summary>How long a transaction may wait before it is sent again with a higher fee.</summary>
    public TimeSpan ReplaceAfter { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How often to look for what became of it.</summary>
    public TimeSpan PollEvery { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The most that is paid, in wei per unit of gas: no node of a chain can make an account pay more.</summary>
    public UInt128 FeePerGasMax { get; init; } = 500_000_000_000;

    /// <summary>How long to try in all.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
