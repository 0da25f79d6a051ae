using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Operations that were put in order together. Each block names the one before it, so that its hash names the whole history.</summary>
public sealed class Block
{
    /// <summary>The most operations in a block.</summary>
    public const int OperationsMax = 256;

    /// <summary>The most bytes of a block.</summary>
    public const int BytesMax = 8 + Digest.Size + 4 + (OperationsMax * (4 + SignedOperation.BytesMax));

    private readonly byte[] _bytes;

    private Block(long height, Digest previous, IReadOnlyList<SignedOperation> operations, byte[] bytes)
    {
        Height = height;
        Previous = previous;
        Operations = operations;
        _bytes = bytes;
        Hash = Digest.Of("cairn/block", bytes);
    }

    /// <summary>1 for the first block; the genesis stands at 0.</summary>
    public long Height { get; }

    /// <summary>Hash of the block before; of the first block: <see cref="Genesis.Digest"/>.</summary>
    public Digest Previous { get; }

    /// <summary>In their order; 1 to <see cref="OperationsMax"/>.</summary>
    public IReadOnlyList<SignedOperation> Operations { get; }

    /// <summary>SHA-256 over tag "cairn/block" and all bytes, signatures included. It chains blocks and decides nothing else.</summary>
    public Digest Hash { get; }

    /// <summary>The canonical bytes (docs/wire.md).</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Makes the block after another.</summary>
    /// <param name="height">Its height.</param>
    /// <param name="previous">Hash of the block before.</param>
    /// <param name="operations">1 to <see cref="OperationsMax"/>.</param>
    public static Block Create(long height, Digest previous, IReadOnlyList<SignedOperation> operations)
    {
        Invariant.Check(height > 0);
        Invariant.Check(operations.Count is > 0 and <= OperationsMax);
        var writer = new WireWriter();
        writer.Int64(height);
        writer.Digest(previous);
        writer.Int32(operations.Count);
        foreach (var operation in operations)
        {
            writer.Bytes(operation.ToBytes());
        }

        return new Block(height, previous, [.. operations], writer.ToArray());
    }

    /// <summary>Reads <see cref="Bytes"/> from anywhere; verifies neither signatures nor the chain.</summary>
    /// <param name="bytes">Hostile bytes are fine.</param>
    /// <param name="block">The block, or null.</param>
    /// <param name="why">Why not.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Block? block, out Rejection why)
    {
        block = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        if (bytes.Length > BytesMax)
        {
            return false;
        }

        var reader = new WireReader(bytes);
        var height = reader.Int64();
        var previous = reader.Digest();
        var operations = new SignedOperation[reader.Count(OperationsMax, 4 + PublicKey.Size + NodeKey.SignatureSize)];
        for (var i = 0; i < operations.Length; i++)
        {
            var one = reader.Bytes(SignedOperation.BytesMax);
            if (!reader.Ok)
            {
                why = Rejection.Malformed;
                return false;
            }

            if (!SignedOperation.TryRead(one, out var operation, out why))
            {
                return false;
            }

            operations[i] = operation!;
        }

        if (!reader.Complete || height <= 0 || operations.Length == 0)
        {
            why = Rejection.Malformed;
            return false;
        }

        block = new Block(height, previous, operations, bytes.ToArray());
        why = Rejection.None;
        return true;
    }
}
