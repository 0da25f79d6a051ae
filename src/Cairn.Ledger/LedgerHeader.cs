using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>The first bytes of a ledger file: magic, version, length, genesis, and a digest over all of them (docs/wire.md).</summary>
internal static class LedgerHeader
{
    /// <summary>Bytes that tell how long the header is.</summary>
    public const int StartSize = 16;

    private const int Version = 4;
    private const string Domain = "cairn/ledger/file";

    private static ReadOnlySpan<byte> Magic => "CAIRNLGR"u8;

    public static byte[] ToBytes(Genesis genesis)
    {
        var writer = new WireWriter();
        writer.Raw(Magic);
        writer.Int32(Version);
        writer.Bytes(genesis.ToBytes());
        writer.Digest(Digest.Of(Domain, writer.Written));
        return writer.ToArray();
    }

    /// <summary>Length of the whole header, or 0 if these bytes begin none.</summary>
    /// <param name="start">The first <see cref="StartSize"/> bytes of a file, or fewer.</param>
    public static int SizeOf(ReadOnlySpan<byte> start)
    {
        if (start.Length < StartSize || !start.StartsWith(Magic) || BinaryPrimitives.ReadInt32LittleEndian(start[8..]) != Version)
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(start[12..]);
        return length is > 0 and <= Genesis.BytesMax ? StartSize + length + Digest.Size : 0;
    }

    public static bool TryRead(ReadOnlySpan<byte> header, out Genesis? genesis)
    {
        genesis = null;
        return header.Length == SizeOf(header)
            && Digest.Of(Domain, header[..^Digest.Size]) == new Digest(header[^Digest.Size..])
            && Genesis.TryRead(header[StartSize..^Digest.Size], out genesis, out _);
    }
}
