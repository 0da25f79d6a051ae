using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>An operation under its author's signature. The signature covers a domain tag, the run, the author and the canonical
/// content; it decides nothing itself, since two signatures of one statement differ.</summary>
public sealed class SignedOperation
{
    /// <summary>The most bytes on the wire.</summary>
    public const int BytesMax = PublicKey.Size + NodeKey.SignatureSize + OperationCodec.BytesMax;

    private readonly byte[] _content;
    private readonly byte[] _signature;

    private SignedOperation(Operation operation, byte[] content, PublicKey author, ReadOnlySpan<byte> signature)
    {
        Invariant.Check(signature.Length == NodeKey.SignatureSize);
        Operation = operation;
        Author = author;
        _content = content;
        _signature = signature.ToArray();
    }

    /// <summary>What is said; well-formed.</summary>
    public Operation Operation { get; }

    /// <summary>Who says it.</summary>
    public PublicKey Author { get; }

    /// <summary>64 bytes (r ‖ s); whether they verify shows at <see cref="Verify"/>.</summary>
    public ReadOnlySpan<byte> Signature => _signature;

    /// <summary>The canonical bytes of <see cref="Operation"/>: two statements are the same if these are.</summary>
    public ReadOnlySpan<byte> Content => _content;

    /// <summary>Signs an operation. Each call gives another signature: store the bytes before sending them, and send those again.</summary>
    /// <param name="key">The author's.</param>
    /// <param name="run">Which run: <see cref="Genesis.Digest"/>.</param>
    /// <param name="operation">A well-formed one.</param>
    public static SignedOperation Sign(NodeKey key, Digest run, Operation operation)
    {
        var content = OperationCodec.ToBytes(operation);
        return new SignedOperation(operation, content, key.Public, key.Sign(OperationDigest(run, key.Public, content)));
    }

    /// <summary>An operation with a signature that was made elsewhere, by whoever holds the key; whether it verifies shows at <see cref="Verify"/>.</summary>
    /// <param name="author">Who signed.</param>
    /// <param name="signature">64 bytes (r ‖ s).</param>
    /// <param name="operation">A well-formed one.</param>
    public static SignedOperation Of(PublicKey author, ReadOnlySpan<byte> signature, Operation operation) =>
        new(operation, OperationCodec.ToBytes(operation), author, signature);

    /// <summary>What is signed: SHA-256 over tag "cairn/operation" ‖ genesis digest ‖ author ‖ canonical content.</summary>
    /// <param name="run">Which run: <see cref="Genesis.Digest"/>.</param>
    public Digest OperationDigest(Digest run) => OperationDigest(run, Author, _content);

    /// <summary>What is signed, from its parts.</summary>
    /// <param name="run">Which run: <see cref="Genesis.Digest"/>.</param>
    /// <param name="author">Who signs.</param>
    /// <param name="content">Canonical bytes of an operation.</param>
    public static Digest OperationDigest(Digest run, PublicKey author, ReadOnlySpan<byte> content)
    {
        using var hasher = new Hasher("cairn/operation");
        hasher.Append(run);
        hasher.Append(author.Bytes);
        hasher.Append(content);
        return hasher.Finish();
    }

    /// <summary>True if the author signed this in this run.</summary>
    /// <param name="run">Which run: <see cref="Genesis.Digest"/>.</param>
    public bool Verify(Digest run) => Author.Verify(OperationDigest(run), _signature);

    /// <summary>The bytes of the wire: author, signature, content.</summary>
    public byte[] ToBytes() => [.. Author.Bytes, .. _signature, .. _content];

    /// <summary>Reads <see cref="ToBytes"/> from anywhere; does not verify the signature.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="operation">The operation, or null.</param>
    /// <param name="why">Why not.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SignedOperation? operation, out Rejection why)
    {
        operation = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        const int ContentAt = PublicKey.Size + NodeKey.SignatureSize;
        if (bytes.Length is <= ContentAt or > BytesMax || !OperationCodec.TryRead(bytes[ContentAt..], out var content, out why))
        {
            return false;
        }

        var author = new PublicKey(bytes[..PublicKey.Size]);
        operation = new SignedOperation(content!, bytes[ContentAt..].ToArray(), author, bytes[PublicKey.Size..ContentAt]);
        return true;
    }
}
