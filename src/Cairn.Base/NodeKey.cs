using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Cairn.Base;

/// <summary>The public half of a node key: an ECDSA P-256 point as 64 bytes (X ‖ Y), the name by which a member signs.</summary>
public readonly struct PublicKey : IEquatable<PublicKey>
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 64;

    private readonly byte[]? _bytes;

    /// <summary>Takes 64 bytes from anywhere; whether they are a point shows at <see cref="Verify"/>.</summary>
    /// <param name="bytes">64 bytes.</param>
    public PublicKey(ReadOnlySpan<byte> bytes)
    {
        Invariant.Check(bytes.Length == Size);
        _bytes = bytes.ToArray();
    }

    /// <summary>The 64 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes ?? new byte[Size];

    /// <summary>Checks a signature over a digest.</summary>
    /// <param name="digest">What was signed.</param>
    /// <param name="signature">64 bytes (r ‖ s); anything else is false.</param>
    /// <returns>True only for a valid signature of a valid point. Hostile bytes give false, never an exception.</returns>
    public bool Verify(Digest digest, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != NodeKey.SignatureSize)
        {
            return false;
        }

        try
        {
            using var ecdsa = ECDsa.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = Bytes[..32].ToArray(), Y = Bytes[32..].ToArray() },
            });
            return ecdsa.VerifyHash(digest.ToArray(), signature, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    /// <summary>128 hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(Bytes);

    /// <summary>The first 8 hexadecimal digits, for people.</summary>
    public string Short => ToString()[..8];

    /// <inheritdoc/>
    public bool Equals(PublicKey other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PublicKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(Bytes);

    /// <summary>Same bytes.</summary>
    public static bool operator ==(PublicKey left, PublicKey right) => left.Equals(right);

    /// <summary>Other bytes.</summary>
    public static bool operator !=(PublicKey left, PublicKey right) => !left.Equals(right);
}

/// <summary>A node's key pair (ECDSA P-256). It lives in a file only its owner can read and is never printed.</summary>
public sealed class NodeKey : IDisposable
{
    /// <summary>Size of a signature in bytes (r ‖ s).</summary>
    public const int SignatureSize = 64;

    private const int PassphraseRounds = 600_000;
    private readonly ECDsa _ecdsa;

    private NodeKey(ECDsa ecdsa)
    {
        _ecdsa = ecdsa;
        var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        Public = new PublicKey([.. point.X!, .. point.Y!]);
    }

    /// <summary>The public half.</summary>
    public PublicKey Public { get; }

    /// <summary>A new key from the platform's random source.</summary>
    public static NodeKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Loads the key in a file, or creates both.</summary>
    /// <param name="path">A PKCS#8 file of mode 0600.</param>
    /// <param name="passphrase">If there is one, a new key is encrypted by it (PBES2: AES-256 under PBKDF2 with SHA-256), and a key that was not is from now on.</param>
    /// <exception cref="InputException">The file is no key, others than its owner can read it, it is encrypted and the passphrase is missing or wrong, or it cannot be
    /// read or written.</exception>
    public static NodeKey LoadOrCreate(string path, string? passphrase = null)
    {
        var bytes = SecretFile.ReadOrCreate(path, () =>
        {
            using var key = Create();
            return key.Export(passphrase);
        });
        if (IsEncrypted(bytes))
        {
            return ReadEncrypted(bytes, passphrase, path);
        }

        var plain = Read(bytes, path);
        if (!string.IsNullOrEmpty(passphrase))
        {
            SecretFile.Replace(path, plain.Export(passphrase));
        }

        return plain;
    }

    /// <summary>Signs a digest. Two signatures of the same digest differ: never let one decide anything.</summary>
    /// <param name="digest">What to sign; covers a domain tag, the run and the round.</param>
    /// <returns>64 bytes.</returns>
    public byte[] Sign(Digest digest) => _ecdsa.SignHash(digest.ToArray(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <inheritdoc/>
    public void Dispose() => _ecdsa.Dispose();

    private byte[] Export(string? passphrase) => string.IsNullOrEmpty(passphrase)
        ? _ecdsa.ExportPkcs8PrivateKey()
        : _ecdsa.ExportEncryptedPkcs8PrivateKey(passphrase, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, PassphraseRounds));

    // A plain PKCS#8 key begins with its version, a number; an encrypted one with the sequence that names the cipher.
    private static bool IsEncrypted(byte[] bytes)
    {
        try
        {
            return new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence().PeekTag().TagValue == (int)UniversalTagNumber.Sequence;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static NodeKey ReadEncrypted(byte[] bytes, string? passphrase, string path)
    {
        if (string.IsNullOrEmpty(passphrase))
        {
            throw new InputException($"the key in {path} is encrypted: give its passphrase.");
        }

        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportEncryptedPkcs8PrivateKey(passphrase, bytes, out _);
            return ecdsa.ExportParameters(false).Curve.Oid.Value == ECCurve.NamedCurves.nistP256.Oid.Value
                ? new NodeKey(ecdsa) : throw new CryptographicException("another curve than P-256.");
        }
        catch (CryptographicException)
        {
            ecdsa.Dispose();
            throw new InputException($"the passphrase does not open the key in {path}: give the one that it was encrypted with, or restore the file from a copy.");
        }
    }

    private static NodeKey Read(byte[] bytes, string path)
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportPkcs8PrivateKey(bytes, out var read);
            if (read != bytes.Length || ecdsa.ExportParameters(false).Curve.Oid.Value != ECCurve.NamedCurves.nistP256.Oid.Value)
            {
                throw new CryptographicException("another curve than P-256, or more than one key.");
            }

            return new NodeKey(ecdsa);
        }
        catch (CryptographicException e)
        {
            ecdsa.Dispose();
            throw new InputException($"{path} holds no usable P-256 key ({e.Message}): restore it from a copy, or delete it to join as somebody new.", e);
        }
    }
}
