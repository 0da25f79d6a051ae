using System.Text;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>An account or a contract of an EVM chain: the last 20 bytes of the Keccak of its public key. Written with a checksum in the case of
/// its letters (EIP-55).</summary>
public readonly struct EvmAddress : IEquatable<EvmAddress>
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 20;

    private readonly byte[]? _bytes;

    /// <summary>Takes exactly 20 bytes.</summary>
    /// <param name="bytes">20 bytes.</param>
    public EvmAddress(ReadOnlySpan<byte> bytes)
    {
        Invariant.Check(bytes.Length == Size);
        _bytes = bytes.ToArray();
    }

    /// <summary>The 20 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes ?? new byte[Size];

    /// <summary>The account of a public key.</summary>
    /// <param name="publicKey">64 bytes, X ‖ Y.</param>
    public static EvmAddress Of(ReadOnlySpan<byte> publicKey)
    {
        Invariant.Check(publicKey.Length == 64);
        return new EvmAddress(Keccak.Hash(publicKey).ToArray().AsSpan(Digest.Size - Size));
    }

    /// <summary>Reads an address as people write it.</summary>
    /// <param name="text">0x and 40 hexadecimal digits. In mixed case the case is a checksum, and must be right.</param>
    /// <param name="address">The address, or zero.</param>
    /// <returns>False for anything else, a mistyped address included.</returns>
    public static bool TryParse(string? text, out EvmAddress address)
    {
        address = default;
        if (text is not { Length: 2 + (2 * Size) } || !text.StartsWith("0x", StringComparison.Ordinal))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(text.AsSpan(2), bytes, out _, out var written) != System.Buffers.OperationStatus.Done || written != Size)
        {
            return false;
        }

        var read = new EvmAddress(bytes);
        var letters = text.AsSpan(2);
        var mixed = letters.ContainsAnyInRange('a', 'f') && letters.ContainsAnyInRange('A', 'F');
        if (mixed && read.ToString() != text)
        {
            return false;
        }

        address = read;
        return true;
    }

    /// <summary>0x and 40 digits, their case the checksum.</summary>
    public override string ToString()
    {
        var digits = Convert.ToHexStringLower(Bytes);
        var hash = Keccak.Hash(Encoding.ASCII.GetBytes(digits)).ToString();
        var text = new StringBuilder("0x");
        for (var i = 0; i < digits.Length; i++)
        {
            text.Append(hash[i] >= '8' ? char.ToUpperInvariant(digits[i]) : digits[i]);
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(EvmAddress other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is EvmAddress other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(Bytes);

    /// <summary>Same bytes.</summary>
    public static bool operator ==(EvmAddress left, EvmAddress right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(EvmAddress left, EvmAddress right) => !left.Equals(right);
}
