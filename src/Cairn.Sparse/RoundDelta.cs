using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The mean of one round as one object: what all updates of a manifest did together, for those who come late and need not see them one by one.</summary>
/// <remarks>Holds for each chunk the places that moved and by how much, in fp32, before the outer rate: applied to the base before the round it gives the bits of
/// the base after it. Nobody need believe it: the base that comes out is compared with the one that the ledger names. Its bytes: docs/wire.md, "Round delta".</remarks>
public sealed class RoundDelta
{
    /// <summary>Bytes before the first tensor.</summary>
    public const int HeaderBytes = 4 + 4 + Digest.Size + 4 + Digest.Size + Digest.Size + 4;

    private readonly ChunkGrid _grid;
    private readonly byte[] _bytes;
    private readonly int[] _starts;

    private RoundDelta(ChunkGrid grid, byte[] bytes, int[] starts) => (_grid, _bytes, _starts) = (grid, bytes, starts);

    private static ReadOnlySpan<byte> Magic => "CRDL"u8;

    /// <summary>The most bytes that a delta of so many updates takes.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="updates">At least 1.</param>
    public static long BytesMax(ChunkGrid grid, int updates)
    {
        var bytes = (long)HeaderBytes;
        for (var tensor = 0; tensor < grid.TensorCount; tensor++)
        {
            bytes += 4;
            for (var chunk = 0; chunk < grid[tensor].ChunkCount; chunk++)
            {
                var shape = grid[tensor].ShapeOf(chunk);
                // A place takes at most 4 bytes of value and, of k places out of L, no more than 2 + log₂(L / k) bits.
                bytes += 2 + (4L * Math.Min(shape.Length, (long)updates * shape.Keep)) + (shape.Length / 4) + 16;
            }
        }

        return bytes;
    }

    /// <summary>Reads and judges a delta from anywhere.</summary>
    /// <param name="bytes">The bytes; kept.</param>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="manifest">Digest of the manifest it must be the mean of.</param>
    /// <param name="why">Malformed, WrongRules, Late, NotAsCommitted (another manifest), WrongShape, BadCode, NotFinite or None.</param>
    /// <returns>Null if it may not be used.</returns>
    public static RoundDelta? TryRead(byte[] bytes, ChunkGrid grid, Digest rules, Round round, Digest manifest, out Rejection why)
    {
        why = JudgeHeader(bytes, grid, rules, round, manifest);
        if (why != Rejection.None)
        {
            return null;
        }

        ReadOnlySpan<byte> rest = bytes.AsSpan(HeaderBytes);
        var starts = new int[grid.TensorCount];
        var places = new ushort[TopK.ChunkMax];
        for (var tensor = 0; tensor < grid.TensorCount && why == Rejection.None; tensor++)
        {
            starts[tensor] = bytes.Length - rest.Length;
            why = JudgeSection(ref rest, grid[tensor], places);
        }

        why = why != Rejection.None || rest.IsEmpty ? why : Rejection.Malformed;
        return why == Rejection.None ? new RoundDelta(grid, bytes, starts) : null;
    }

    /// <summary>Writes the mean of one tensor.</summary>
    /// <param name="tensor">0 to TensorCount − 1.</param>
    /// <param name="mean">Receives it: exactly the tensor's length; overwritten.</param>
    public void CopyTo(int tensor, Span<float> mean)
    {
        var grid = _grid[tensor];
        Invariant.Check(mean.Length == grid.Spec.Length);
        mean.Clear();
        var at = _starts[tensor];
        Span<ushort> places = stackalloc ushort[TopK.ChunkMax];
        for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            var (count, shape, origin) = (CountAt(_bytes, at), grid.ShapeOf(chunk), grid.OriginOf(chunk));
            at += 2;
            if (count == 0)
            {
                continue;
            }

            var code = new PlaceCode(shape.Length, count);
            Invariant.Check(EliasFano.TryRead(_bytes.AsSpan(at, code.Bytes), code, places[..count]));
            at += code.Bytes;
            var values = MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(at, 4 * count));
            var offsets = shape.Offsets;
            var target = mean[origin..];
            for (var i = 0; i < count; i++)
            {
                target[offsets[places[i]]] = values[i];
            }

            at += 4 * count;
        }
    }

    internal static void WriteHeader(Span<byte> target, ChunkGrid grid, Digest rules, Round round, Digest manifest)
    {
        var writer = new WireWriter();
        writer.Raw(Magic);
        writer.Int32(1);
        writer.Digest(rules);
        writer.Int32(round.Number);
        writer.Digest(manifest);
        writer.Digest(grid.Digest);
        writer.Int32((int)Crc32C.Of(writer.Written));
        Invariant.Check(writer.Written.Length == HeaderBytes);
        writer.Written.CopyTo(target);
    }

    private static Rejection JudgeHeader(byte[] bytes, ChunkGrid grid, Digest rules, Round round, Digest manifest)
    {
        if (bytes.Length < HeaderBytes)
        {
            return Rejection.Malformed;
        }

        var header = bytes.AsSpan(0, HeaderBytes);
        var reader = new WireReader(header);
        var known = reader.Raw(Magic.Length).SequenceEqual(Magic) & reader.Int32() == 1;
        var (itsRules, itsRound, itsManifest, itsGrid) = (reader.Digest(), reader.Int32(), reader.Digest(), reader.Digest());
        return !known || (uint)reader.Int32() != Crc32C.Of(header[..^4]) ? Rejection.Malformed
            : itsRules != rules ? Rejection.WrongRules
            : itsRound != round.Number ? Rejection.Late
            : itsManifest != manifest ? Rejection.NotAsCommitted
            : itsGrid != grid.Digest ? Rejection.WrongShape
            : Rejection.None;
    }

    private static int CountAt(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));

    private static Rejection JudgeSection(ref ReadOnlySpan<byte> rest, TensorGrid grid, ushort[] places)
    {
        var section = rest;
        var why = Rejection.None;
        for (var chunk = 0; chunk < grid.ChunkCount && why == Rejection.None; chunk++)
        {
            why = JudgeChunk(ref rest, grid.LengthOf(chunk), places);
        }

        if (why != Rejection.None)
        {
            return why;
        }

        section = section[..^rest.Length];
        if (rest.Length < SectionCodec.ChecksumBytes || BinaryPrimitives.ReadUInt32LittleEndian(rest) != Crc32C.Of(section))
        {
            return Rejection.Malformed;
        }

        rest = rest[SectionCodec.ChecksumBytes..];
        return Rejection.None;
    }

    // What is left is measured, never where it ends: no sum of sizes can leave the range of an int.
    private static Rejection JudgeChunk(ref ReadOnlySpan<byte> rest, int length, ushort[] places)
    {
        if (rest.Length < 2)
        {
            return Rejection.Malformed;
        }

        var count = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        rest = rest[2..];
        if (count == 0)
        {
            return Rejection.None;
        }

        if (count > length)
        {
            return Rejection.BadCode;
        }

        var code = new PlaceCode(length, count);
        if (rest.Length < code.Bytes + (4 * count))
        {
            return Rejection.Malformed;
        }

        if (!EliasFano.TryRead(rest[..code.Bytes], code, places.AsSpan(0, count)))
        {
            return Rejection.BadCode;
        }

        var values = MemoryMarshal.Cast<byte, float>(rest.Slice(code.Bytes, 4 * count));
        rest = rest[(code.Bytes + (4 * count))..];
        foreach (var value in values)
        {
            if (!float.IsFinite(value))
            {
                return Rejection.NotFinite;
            }

            if (value == 0)
            {
                return Rejection.BadCode;
            }
        }

        return Rejection.None;
    }
}
