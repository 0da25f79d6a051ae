using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Writes the mean of a round tensor by tensor, as it is being applied, straight to where the object waits to be sent.</summary>
/// <remarks>Nothing is allocated after the constructor. Cost: one pass over the mean and one over what is not zero in it. Not for two threads at once.</remarks>
public sealed class RoundDeltaWriter
{
    private readonly ChunkGrid _grid;
    private readonly Stream _target;
    private readonly byte[] _chunk = new byte[RoundDelta.ChunkBytesMax];
    private readonly ushort[] _places = new ushort[TopK.ChunkMax + NonZeros.Surplus];
    private readonly float[] _values = new float[TopK.ChunkMax + NonZeros.Surplus];
    private int _next;

    /// <summary>Writes the header.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="target">Where to, chunk by chunk: of a file one with a buffer. Takes at most <see cref="RoundDelta.BytesMax"/> of the round's updates; stays the
    /// caller's.</param>
    /// <param name="rules">Digest of the rules of the run.</param>
    /// <param name="round">The round.</param>
    /// <param name="manifest">Digest of its manifest.</param>
    public RoundDeltaWriter(ChunkGrid grid, Stream target, Digest rules, Round round, Digest manifest)
    {
        (_grid, _target) = (grid, target);
        target.Write(RoundDelta.Header(grid, rules, round, manifest));
        Length = RoundDelta.HeaderBytes;
    }

    /// <summary>How many bytes have been written: the whole delta once every tensor has been.</summary>
    public long Length { get; private set; }

    /// <summary>Whether every tensor has been written.</summary>
    public bool IsWhole => _next == _grid.TensorCount;

    /// <summary>Writes the mean of the next tensor.</summary>
    /// <param name="mean">Dense: exactly the tensor's length; finite; of no more values per chunk than the updates of the round can have sent.</param>
    public unsafe void Write(ReadOnlySpan<float> mean)
    {
        var grid = _grid[_next++];
        Invariant.Check(mean.Length == grid.Spec.Length);
        var sum = Crc32C.Begin;
        fixed (float* first = mean, values = _values)
        {
            fixed (ushort* places = _places)
            {
                for (var chunk = 0; chunk < grid.ChunkCount; chunk++)
                {
                    var shape = grid.ShapeOf(chunk);
                    var count = NonZeros.Read(first + grid.OriginOf(chunk), shape, grid.Spec.Cols, places, values);
                    var bytes = WriteChunk(shape.Length, count, _chunk);
                    sum = Crc32C.Append(sum, _chunk.AsSpan(0, bytes));
                    _target.Write(_chunk, 0, bytes);
                    Length += bytes;
                }
            }
        }

        BinaryPrimitives.WriteUInt32LittleEndian(_chunk, Crc32C.End(sum));
        _target.Write(_chunk, 0, SectionCodec.ChecksumBytes);
        Length += SectionCodec.ChecksumBytes;
    }

    private int WriteChunk(int length, int count, Span<byte> target)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)count);
        if (count == 0)
        {
            return 2;
        }

        var code = new PlaceCode(length, count);
        EliasFano.Write(_places.AsSpan(0, count), code, target.Slice(2, code.Bytes));
        MemoryMarshal.AsBytes(_values.AsSpan(0, count)).CopyTo(target[(2 + code.Bytes)..]);
        return 2 + code.Bytes + (4 * count);
    }
}
