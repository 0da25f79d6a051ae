using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>An ECDSA signature on secp256k1 with what is needed to find its author: r, s in its lower form, and whether the point of r has an odd y.</summary>
public sealed class EvmSignature
{
    /// <summary>Size in bytes as contracts read it: r ‖ s ‖ v.</summary>
    public const int Size = 65;

    private const int FirstV = 27;
    private readonly byte[] _r;
    private readonly byte[] _s;

    /// <summary>Takes the parts.</summary>
    /// <param name="r">32 bytes.</param>
    /// <param name="s">32 bytes.</param>
    /// <param name="odd">Whether y is odd.</param>
    public EvmSignature(ReadOnlySpan<byte> r, ReadOnlySpan<byte> s, bool odd)
    {
        Invariant.Check(r.Length == Digest.Size && s.Length == Digest.Size);
        (_r, _s, Odd) = (r.ToArray(), s.ToArray(), odd);
    }

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> R => _r;

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> S => _s;

    /// <summary>Whether y is odd.</summary>
    public bool Odd { get; }

    /// <summary>r ‖ s ‖ v, with v 27 or 28.</summary>
    public byte[] ToBytes() => [.. _r, .. _s, (byte)(FirstV + (Odd ? 1 : 0))];

    /// <summary>Reads <see cref="ToBytes"/> from anywhere.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="signature">The signature, or null.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out EvmSignature? signature)
    {
        var good = bytes.Length == Size && bytes[^1] is FirstV or FirstV + 1;
        signature = good ? new EvmSignature(bytes[..32], bytes[32..64], bytes[^1] == FirstV + 1) : null;
        return good;
    }

    /// <summary>Whose signature this is.</summary>
    /// <param name="hash">What was signed.</param>
    /// <param name="author">The account, or zero.</param>
    /// <returns>False if no account can have made it.</returns>
    public bool TryRecover(Digest hash, out EvmAddress author)
    {
        var found = Secp256k1.TryRecover(hash, this, out var publicKey);
        author = found ? EvmAddress.Of(publicKey) : default;
        return found;
    }
}
