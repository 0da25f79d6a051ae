using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The bytes of an update (docs/wire.md, "Sparse update"): exactly <see cref="ChunkGrid.UpdateBytes"/>, one form for one content.</summary>
/// <remarks>No checksum is inside: the envelope that carries the bytes is hashed and signed. The wire's order of bytes is little-endian.</remarks>
public static class SparseUpdateCodec
{
    /// <summary>Bytes before the first tensor: magic 4, version 4, rules digest 32, round 4, uid 4, tensor count 4, grid digest 32.</summary>
    public const int HeaderBytes = 4 + 4 + Digest.Size + 4 + 4 + 4 + Digest.Size;

    /// <summary>Bytes of a tensor's section before its indices: shift, scale and four levels.</summary>
    public const int TensorHeaderBytes = 6 * sizeof(float);

    /// <summary>The version of the format.</summary>
    public const int Version = 1;

    private static ReadOnlySpan<byte> Magic => "CSUP"u8;

    /// <summary>Encodes an update.</summary>
    /// <param name="update">The update; its grid's UpdateBytes must fit an array (below 2^31).</param>
    /// <returns>Exactly UpdateBytes bytes.</returns>
    public static byte[] Encode(SparseUpdate update)
    {
        var grid = update.Grid;
        var bytes = new byte[checked((int)grid.UpdateBytes)];
        WriteHeader(update, bytes);
        var at = HeaderBytes;
        for (var i = 0; i < grid.TensorCount; i++)
        {
            var length = checked((int)grid[i].SectionBytes);
            EncodeTensor(update[i], bytes.AsSpan(at, length));
            at += length;
        }

        Invariant.Check(at == bytes.Length);
        return bytes;
    }

    /// <summary>Encodes one tensor's section.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="section">Exactly Grid.SectionBytes, overwritten.</param>
    public static void EncodeTensor(SparseTensor tensor, Span<byte> section)
    {
        Invariant.Check(section.Length == tensor.Grid.SectionBytes);
        var book = tensor.Codebook;
        BinaryPrimitives.WriteSingleLittleEndian(section, book.Shift);
        BinaryPrimitives.WriteSingleLittleEndian(section[4..], book.Scale);
        BinaryPrimitives.WriteSingleLittleEndian(section[8..], book.Level0);
        BinaryPrimitives.WriteSingleLittleEndian(section[12..], book.Level1);
        BinaryPrimitives.WriteSingleLittleEndian(section[16..], book.Level2);
        BinaryPrimitives.WriteSingleLittleEndian(section[20..], book.Level3);
        var indexBytes = Packing.IndexBytes(tensor.Indices.Length);
        Packing.PackIndices(tensor.Indices, section.Slice(TensorHeaderBytes, indexBytes));
        tensor.Codes.CopyTo(section[(TensorHeaderBytes + indexBytes)..]);
    }

    /// <summary>Decodes and judges an update from anywhere. Never throws on any bytes; allocates only the decoded form, and that only for bytes of
    /// the exact length.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="uid">Whose it must be.</param>
    /// <param name="update">The update, or null.</param>
    /// <param name="why">Why not, or <see cref="Rejection.None"/>: TooLarge or Malformed (length, magic, version), WrongRules, Late (another round),
    /// BadSignature (another
    /// author), WrongShape (another grid), NotFinite (a number that is not finite or out of range), BadCode (indices, codes, levels or filling bits
    /// out of form).</param>
    /// <returns>True if it may be used.</returns>
    public static bool TryDecode(
        ReadOnlySpan<byte> bytes, ChunkGrid grid, Digest rules, Round round, Uid uid, out SparseUpdate? update, out Rejection why)
    {
        update = null;
        why = JudgeHeader(bytes, grid, rules, round, uid);
        if (why != Rejection.None)
        {
            return false;
        }

        var tensors = new SparseTensor[grid.TensorCount];
        var at = HeaderBytes;
        for (var i = 0; i < tensors.Length; i++)
        {
            var length = (int)grid[i].SectionBytes;
            if (!TryDecodeTensor(bytes.Slice(at, length), grid[i], out var tensor, out why))
            {
                return false;
            }

            tensors[i] = tensor!;
            at += length;
        }

        update = new SparseUpdate(grid, rules, round, uid, tensors);
        return true;
    }

    /// <summary>Decodes and judges one tensor's section.</summary>
    /// <param name="section">Exactly Grid.SectionBytes, of any content.</param>
    /// <param name="grid">How the tensor is cut.</param>
    /// <param name="tensor">The tensor, or null.</param>
    /// <param name="why">NotFinite, BadCode or None.</param>
    /// <returns>True if it may be used.</returns>
    public static bool TryDecodeTensor(ReadOnlySpan<byte> section, TensorGrid grid, out SparseTensor? tensor, out Rejection why)
    {
        Invariant.Check(section.Length == grid.SectionBytes);
        tensor = null;
        var reader = new WireReader(section[..TensorHeaderBytes]);
        var book = new Codebook(reader.Single(), reader.Single(), reader.Single(), reader.Single(), reader.Single(), reader.Single());
        var indexBytes = Packing.IndexBytes(grid.ValueCount);
        var codes = section[(TensorHeaderBytes + indexBytes)..];
        why = book.Judge(CodeCounts.Of(codes, grid.ValueCount));
        if (why == Rejection.None && !HasZeroFill(codes, grid.ValueCount))
        {
            why = Rejection.BadCode;
        }

        if (why != Rejection.None)
        {
            return false;
        }

        var indices = new ushort[grid.ValueCount];
        if (!Packing.UnpackIndices(section.Slice(TensorHeaderBytes, indexBytes), indices) || !AreInForm(indices, grid))
        {
            why = Rejection.BadCode;
            return false;
        }

        tensor = new SparseTensor(grid, indices, codes.ToArray(), book);
        return true;
    }

    private static void WriteHeader(SparseUpdate update, Span<byte> bytes)
    {
        var writer = new WireWriter();
        writer.Raw(Magic);
        writer.Int32(Version);
        writer.Digest(update.Rules);
        writer.Int32(update.Round.Number);
        writer.Int32(update.Uid.Value);
        writer.Int32(update.Grid.TensorCount);
        writer.Digest(update.Grid.Digest);
        Invariant.Check(writer.Written.Length == HeaderBytes);
        writer.Written.CopyTo(bytes);
    }

    private static Rejection JudgeHeader(ReadOnlySpan<byte> bytes, ChunkGrid grid, Digest rules, Round round, Uid uid)
    {
        if (bytes.Length > grid.UpdateBytes)
        {
            return Rejection.TooLarge;
        }

        var reader = new WireReader(bytes[..Math.Min(bytes.Length, HeaderBytes)]);
        var known = reader.Raw(Magic.Length).SequenceEqual(Magic) & reader.Int32() == Version;
        var (itsRules, itsRound, itsUid) = (reader.Digest(), reader.Int32(), reader.Int32());
        var (itsCount, itsGrid) = (reader.Int32(), reader.Digest());
        return !known || !reader.Complete ? Rejection.Malformed
            : itsRules != rules ? Rejection.WrongRules
            : itsRound != round.Number ? Rejection.Late
            : itsUid != uid.Value ? Rejection.BadSignature
            : itsCount != grid.TensorCount || itsGrid != grid.Digest ? Rejection.WrongShape
            : bytes.Length != grid.UpdateBytes ? Rejection.Malformed
            : Rejection.None;
    }

    private static bool HasZeroFill(ReadOnlySpan<byte> codes, int count) => count % 4 == 0 || codes[^1] >> (count % 4 * 2) == 0;

    /// <summary>Strictly rising within each chunk (so without duplicates) and inside it.</summary>
    private static bool AreInForm(ReadOnlySpan<ushort> indices, TensorGrid grid)
    {
        for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            var own = indices.Slice(grid.FirstValueOf(chunk), grid.KeepOf(chunk));
            var rising = true;
            for (var i = 1; i < own.Length; i++)
            {
                rising &= own[i] > own[i - 1];
            }

            if (!rising || own[^1] >= grid.LengthOf(chunk))
            {
                return false;
            }
        }

        return true;
    }
}
