using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>What stands at a place of a ledger file.</summary>
internal enum FrameState
{
    /// <summary>A whole block with its seal.</summary>
    Whole,

    /// <summary>The file ends before the block does: a writer is at it, or died at it.</summary>
    Unfinished,

    /// <summary>No writer leaves this behind.</summary>
    Damaged,
}

/// <summary>How a block lies in a file: length, its complement, the bytes, the block's hash as seal (docs/wire.md). A prefix of a frame is
/// always told apart from a damaged one, so that a torn append is cut and a changed history is reported.</summary>
internal static class LedgerFrame
{
    /// <summary>Bytes before the block.</summary>
    public const int HeadSize = 8;

    /// <summary>The most bytes of a frame.</summary>
    public const int BytesMax = HeadSize + Block.BytesMax + Digest.Size;

    /// <summary>Bytes of a block's frame.</summary>
    public static int SizeOf(Block block) => HeadSize + block.Bytes.Length + Digest.Size;

    public static byte[] ToBytes(Block block)
    {
        var writer = new WireWriter();
        writer.Int32(block.Bytes.Length);
        writer.Int32(~block.Bytes.Length);
        writer.Raw(block.Bytes);
        writer.Digest(block.Hash);
        return writer.ToArray();
    }

    /// <summary>Reads the head of a frame.</summary>
    /// <param name="bytes">From the frame's beginning; may reach less far than the file does.</param>
    /// <param name="remaining">Bytes of the file from there on.</param>
    /// <param name="size">Bytes of the whole frame, or 0.</param>
    public static FrameState ReadHead(ReadOnlySpan<byte> bytes, long remaining, out int size)
    {
        size = 0;
        if (remaining < HeadSize)
        {
            return FrameState.Unfinished;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        var complement = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
        if (length == 0 && complement == 0)
        {
            // A power cut can leave a longer file whose bytes never reached the disk.
            return bytes.ContainsAnyExcept((byte)0) ? FrameState.Damaged : FrameState.Unfinished;
        }

        if (length != ~complement || length <= 0 || length > Block.BytesMax)
        {
            return FrameState.Damaged;
        }

        size = HeadSize + length + Digest.Size;
        return remaining < size ? FrameState.Unfinished : FrameState.Whole;
    }

    /// <summary>Reads a frame whose bytes are all there.</summary>
    /// <param name="frame">Exactly the frame.</param>
    /// <param name="last">True if the file ends with it.</param>
    /// <param name="block">The block, or null.</param>
    public static FrameState Read(ReadOnlySpan<byte> frame, bool last, out Block? block)
    {
        var seal = new Digest(frame[^Digest.Size..]);
        if (Block.TryRead(frame[HeadSize..^Digest.Size], out block, out _) && block!.Hash == seal)
        {
            return FrameState.Whole;
        }

        block = null;
        return last && seal.IsZero ? FrameState.Unfinished : FrameState.Damaged;
    }
}
