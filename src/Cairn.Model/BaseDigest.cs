using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>The name that all honest nodes compare after every round: the Merkle root over pieces of 1 MiB of the canonical bytes (fp32,
/// little-endian,
/// in the order of the layout), so that two nodes that disagree can find the first piece that differs. Tier T1.</summary>
public static class BaseDigest
{
    /// <summary>Bytes of a piece; the last one is shorter.</summary>
    public const int PieceBytes = 1 << 20;

    private const string Domain = "cairn/base/piece";

    /// <summary>The root.</summary>
    /// <param name="parameters">All floats.</param>
    /// <returns>Its cost is one SHA-256 over all bytes.</returns>
    public static Digest Of(ReadOnlySpan<float> parameters) => MerkleTree.Root(Pieces(parameters));

    /// <summary>How many pieces parameters have.</summary>
    /// <param name="count">How many floats they are.</param>
    public static int PieceCount(long count) => (int)(((count * sizeof(float)) + PieceBytes - 1) / PieceBytes);

    /// <summary>The digest of one piece's bytes.</summary>
    /// <param name="piece">At most <see cref="PieceBytes"/>, from anywhere.</param>
    public static Digest OfPiece(ReadOnlySpan<byte> piece) => Digest.Of(Domain, piece);

    /// <summary>The digests of the pieces: the leaves under the root.</summary>
    /// <param name="parameters">All floats.</param>
    public static Digest[] Pieces(ReadOnlySpan<float> parameters)
    {
        // A big-endian machine would need to turn every float; none is supported.
        Invariant.Check(BitConverter.IsLittleEndian);
        var pieceFloats = PieceBytes / sizeof(float);
        var pieces = new Digest[(parameters.Length + pieceFloats - 1) / pieceFloats];
        for (var i = 0; i < pieces.Length; i++)
        {
            var start = i * pieceFloats;
            var piece = parameters.Slice(start, Math.Min(pieceFloats, parameters.Length - start));
            pieces[i] = Digest.Of(Domain, MemoryMarshal.AsBytes(piece));
        }

        return pieces;
    }
}
