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
    /// <exception cref="InputException">The file is no key, others than its owner can read it, or it cannot be read or written.</exception>
    public static NodeKey LoadOrCreate(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                Store(path);
            }

            return Load(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot use the key file {path}: {e.Message} Give a file that this account can read and write.", e);
        }
    }

    private static void Store(string path)
    {
        using var key = Create();
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        // Written beside and renamed, so that a kill leaves no half key.
        var beside = $"{path}.{Path.GetRandomFileName()}.new";
        using (var stream = new FileStream(beside, options))
        {
            stream.Write(key._ecdsa.ExportPkcs8PrivateKey());
            stream.Flush(flushToDisk: true);
        }

        try
        {
            File.Move(beside, path);
            DurableFile.FlushFolder(folder);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process created the key at the same time: its key is the key.
            File.Delete(beside);
        }
    }

    /// <summary>Signs a digest. Two signatures of the same digest differ: never let one decide anything.</summary>
    /// <param name="digest">What to sign; covers a domain tag, the run and the round.</param>
    /// <returns>64 bytes.</returns>
    public byte[] Sign(Digest digest) => _ecdsa.SignHash(digest.ToArray(), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

    /// <inheritdoc/>
    public void Dispose() => _ecdsa.Dispose();

    private static NodeKey Load(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new InputException(
                    $"the key file {path} can be read or changed by others than its owner: run chmod 600 on it, and replace the key if it may have been seen.");
            }
        }

        var ecdsa = ECDsa.Create();
        try
        {
            var bytes = File.ReadAllBytes(path);
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
