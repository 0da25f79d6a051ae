using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Writes the mean of a round tensor by tensor, as it is being applied.</summary>
public sealed class RoundDeltaWriter
{
    private readonly ChunkGrid _grid;
    private readonly Stream _stream;
    private readonly List<byte> _section = [];
    private int _next;

    /// <summary>Writes the header.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="stream">Where to; stays the caller's.</param>
    /// <param name="rules">Digest of the rules of the run.</param>
    /// <param name="round">The round.</param>
    /// <param name="manifest">Digest of its manifest.</param>
    public RoundDeltaWriter(ChunkGrid grid, Stream stream, Digest rules, Round round, Digest manifest)
    {
        (_grid, _stream) = (grid, stream);
        RoundDelta.WriteHeader(stream, grid, rules, round, manifest);
    }

    /// <summary>Writes the mean of the next tensor.</summary>
    /// <param name="mean">Dense: exactly the tensor's length; finite.</param>
    public void Write(ReadOnlySpan<float> mean)
    {
        var grid = _grid[_next++];
        Invariant.Check(mean.Length == grid.Spec.Length);
        _section.Clear();
        for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
        {
            WriteChunk(grid.ShapeOf(chunk), mean[grid.OriginOf(chunk)..]);
        }

        var bytes = CollectionsMarshal.AsSpan(_section);
        _stream.Write(bytes);
        Span<byte> sum = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(sum, SectionCodec.Checksum(bytes));
        _stream.Write(sum);
    }

    private void WriteChunk(ChunkShape shape, ReadOnlySpan<float> mean)
    {
        Span<ushort> places = stackalloc ushort[TopK.ChunkMax];
        var count = 0;
        for (var i = 0; i < shape.Length; i++)
        {
            places[count] = (ushort)i;
            count += mean[shape.Offsets[i]] != 0 ? 1 : 0;
        }

        places = places[..count];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(number, (ushort)count);
        _section.AddRange(number[..2]);
        if (count == 0)
        {
            return;
        }

        var code = new PlaceCode(shape.Length, count);
        Span<byte> record = stackalloc byte[code.Bytes];
        EliasFano.Write(places, code, record);
        _section.AddRange(record);
        foreach (var place in places)
        {
            BinaryPrimitives.WriteSingleLittleEndian(number, mean[shape.Offsets[place]]);
            _section.AddRange(number);
        }
    }
}
