using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The mean of one round as one object: what all updates of a manifest did together, for those who come late and need not see them one by one.</summary>
/// <remarks>Holds for each chunk the places that moved and by how much, in fp32, before the outer rate: applied to the base before the round it gives the bits of
/// the base after it. Nobody need believe it: the base that comes out is compared with the one that the ledger names. Its bytes: docs/wire.md, "Round delta". They are
/// read chunk by chunk: what is in memory is one chunk. Not for two threads at once.</remarks>
public sealed class RoundDelta : IDisposable
{
    /// <summary>Bytes before the first tensor.</summary>
    public const int HeaderBytes = 4 + 4 + Digest.Size + 4 + Digest.Size + Digest.Size + 4;

    /// <summary>No chunk takes more: a count, places at two bits of map and low bits each, values.</summary>
    internal const int ChunkBytesMax = 2 + (TopK.ChunkMax / 4) + 16 + (sizeof(float) * TopK.ChunkMax);

    private readonly ChunkGrid _grid;
    private readonly long[] _starts;
    private readonly RoundDeltaChunks _chunks;

    private RoundDelta(ChunkGrid grid, RoundDeltaChunks chunks, long[] starts) => (_grid, _chunks, _starts) = (grid, chunks, starts);

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
    /// <param name="bytes">Can seek; holds the delta and nothing else, and does not change any more. Of a file one with a buffer, for it is read in small pieces.
    /// Becomes the delta's if one comes back.</param>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="manifest">Digest of the manifest it must be the mean of.</param>
    /// <param name="why">Malformed, WrongRules, Late, NotAsCommitted (another manifest), WrongShape, BadCode, NotFinite or None.</param>
    /// <returns>Null if it may not be used.</returns>
    public static RoundDelta? TryRead(Stream bytes, ChunkGrid grid, Digest rules, Round round, Digest manifest, out Rejection why)
    {
        bytes.Position = 0;
        var header = new byte[HeaderBytes];
        why = bytes.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) == HeaderBytes
            ? JudgeHeader(header, grid, rules, round, manifest)
            : Rejection.Malformed;
        if (why != Rejection.None)
        {
            return null;
        }

        var chunks = new RoundDeltaChunks(bytes);
        var starts = new long[grid.TensorCount];
        for (var tensor = 0; tensor < grid.TensorCount && why == Rejection.None; tensor++)
        {
            starts[tensor] = bytes.Position;
            why = JudgeSection(chunks, grid[tensor]);
        }

        why = why != Rejection.None || bytes.Position == bytes.Length ? why : Rejection.Malformed;
        return why == Rejection.None ? new RoundDelta(grid, chunks, starts) : null;
    }

    /// <summary>Writes the mean of one tensor.</summary>
    /// <param name="tensor">0 to TensorCount − 1.</param>
    /// <param name="mean">Receives it: exactly the tensor's length; overwritten.</param>
    public void CopyTo(int tensor, Span<float> mean)
    {
        var grid = _grid[tensor];
        Invariant.Check(mean.Length == grid.Spec.Length);
        mean.Clear();
        _chunks.GoTo(_starts[tensor]);
        for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            var (shape, origin) = (grid.ShapeOf(chunk), grid.OriginOf(chunk));
            // Judged when it was read, and nobody else writes there.
            Invariant.Check(_chunks.TryNext(shape.Length, out var places, out var values) == Rejection.None);
            var offsets = shape.Offsets;
            var target = mean[origin..];
            for (var i = 0; i < places.Length; i++)
            {
                target[offsets[places[i]]] = values[i];
            }
        }
    }

    /// <summary>Closes the bytes.</summary>
    public void Dispose() => _chunks.Dispose();

    internal static byte[] Header(ChunkGrid grid, Digest rules, Round round, Digest manifest)
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
        return writer.Written.ToArray();
    }

    private static Rejection JudgeHeader(ReadOnlySpan<byte> header, ChunkGrid grid, Digest rules, Round round, Digest manifest)
    {
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

    private static Rejection JudgeSection(RoundDeltaChunks chunks, TensorGrid grid)
    {
        chunks.BeginSum();
        for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            var why = chunks.TryNext(grid.LengthOf(chunk), out _, out var values);
            why = why == Rejection.None ? JudgeValues(values) : why;
            if (why != Rejection.None)
            {
                return why;
            }
        }

        return chunks.EndsWithItsSum() ? Rejection.None : Rejection.Malformed;
    }

    private static Rejection JudgeValues(ReadOnlySpan<float> values)
    {
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
