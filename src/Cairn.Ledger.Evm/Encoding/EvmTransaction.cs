using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A transaction with a fee that follows the blocks (EIP-1559), without an access list.</summary>
public sealed record EvmTransaction
{
    private const byte Type = 2;

    /// <summary>The chain that it is for: no other takes it.</summary>
    public required ulong ChainId { get; init; }

    /// <summary>How many transactions the account has sent before.</summary>
    public required ulong Nonce { get; init; }

    /// <summary>What whoever includes it gets, in wei per unit of gas.</summary>
    public required UInt128 TipPerGas { get; init; }

    /// <summary>The most that is paid in all, in wei per unit of gas.</summary>
    public required UInt128 FeePerGas { get; init; }

    /// <summary>The most gas that it may take.</summary>
    public required ulong Gas { get; init; }

    /// <summary>Whom it calls; null creates a contract.</summary>
    public required EvmAddress? To { get; init; }

    /// <summary>What it brings along, in wei.</summary>
    public UInt128 Value { get; init; }

    /// <summary>The call, or the code of the contract.</summary>
    public byte[] Data { get; init; } = [];

    /// <summary>What the account signs.</summary>
    public Digest SigningHash => Keccak.Hash(Typed(Rlp.List(Fields())));

    /// <summary>Signs it.</summary>
    /// <param name="key">The account's.</param>
    /// <returns>The bytes that chains take; their Keccak names the transaction.</returns>
    public byte[] Sign(AccountKey key) => With(key.Sign(SigningHash));

    /// <summary>The bytes with a signature.</summary>
    /// <param name="signature">Over <see cref="SigningHash"/>.</param>
    public byte[] With(EvmSignature signature) => Typed(Rlp.List(
        [.. Fields(), Rlp.Number(signature.Odd ? 1u : 0u), Rlp.Number(signature.R), Rlp.Number(signature.S)]));

    private byte[][] Fields() =>
    [
        Rlp.Number(ChainId), Rlp.Number(Nonce), Rlp.Number(TipPerGas), Rlp.Number(FeePerGas), Rlp.Number(Gas),
        Rlp.Text(To is { } to ? to.Bytes : []), Rlp.Number(Value), Rlp.Text(Data), Rlp.List(),
    ];

    private static byte[] Typed(byte[] list) => [Type, .. list];
}
