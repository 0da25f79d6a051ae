using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>The key of an account: a secret number on secp256k1 that only the platform's cryptography (OpenSSL on Linux) computes with.</summary>
public sealed class AccountKey : IDisposable
{
    /// <summary>Size of the secret in bytes.</summary>
    public const int SecretSize = 32;

    private static readonly ECCurve Curve = ECCurve.CreateFromFriendlyName("secp256k1");
    private readonly ECDsa _ecdsa;
    private readonly byte[] _publicKey;

    private AccountKey(ECDsa ecdsa)
    {
        _ecdsa = ecdsa;
        var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        _publicKey = [.. point.X!, .. point.Y!];
        Address = EvmAddress.Of(_publicKey);
    }

    /// <summary>The account.</summary>
    public EvmAddress Address { get; }

    /// <summary>A new key from the platform's random source.</summary>
    /// <exception cref="InputException">This platform does not know the curve.</exception>
    public static AccountKey Create() => Guarded(() => new AccountKey(ECDsa.Create(Curve)));

    /// <summary>The key of a secret.</summary>
    /// <param name="secret">32 bytes; the caller clears them.</param>
    /// <exception cref="InputException">It is zero or not below the group's order, or this platform does not know the curve.</exception>
    public static AccountKey FromSecret(ReadOnlySpan<byte> secret)
    {
        if (secret.Length != SecretSize || !secret.ContainsAnyExcept((byte)0) || secret.SequenceCompareTo(Secp256k1.Order) >= 0)
        {
            throw new InputException("that is no secret of an account: it must be 32 bytes, not zero and below the order of secp256k1.");
        }

        var copy = secret.ToArray();
        try
        {
            return Guarded(() => new AccountKey(ECDsa.Create(new ECParameters { Curve = Curve, D = copy })));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(copy);
        }
    }

    /// <summary>Signs a hash. Two signatures of one hash differ: never let one decide anything.</summary>
    /// <param name="hash">A Keccak over what is meant, with what keeps it from being used elsewhere.</param>
    public EvmSignature Sign(Digest hash)
    {
        var message = hash.ToArray();
        while (true)
        {
            var both = _ecdsa.SignHash(message, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
            var r = both.AsSpan(0, 32);
            var s = both.AsSpan(32);
            Secp256k1.Lower(s);
            if (Secp256k1.TryParity(_publicKey, hash, r, s, out var odd))
            {
                return new EvmSignature(r, s, odd);
            }
        }
    }

    /// <summary>Hands the secret to a use, and clears it afterwards.</summary>
    /// <param name="use">Must keep no copy in the clear.</param>
    public T WithSecret<T>(Func<byte[], T> use)
    {
        var secret = _ecdsa.ExportParameters(includePrivateParameters: true).D!;
        try
        {
            return use(secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ecdsa.Dispose();

    private static AccountKey Guarded(Func<AccountKey> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is CryptographicException or PlatformNotSupportedException)
        {
            throw new InputException($"this platform's cryptography cannot use the curve secp256k1 ({e.Message}): use Linux with OpenSSL 3.", e);
        }
    }
}
