using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Reads the chunks of a <see cref="RoundDelta"/> one after another from bytes of any content. What is held is one chunk.</summary>
internal sealed class RoundDeltaChunks(Stream bytes) : IDisposable
{
    private readonly byte[] _chunk = new byte[RoundDelta.ChunkBytesMax];
    private readonly ushort[] _places = new ushort[TopK.ChunkMax];
    private readonly float[] _values = new float[TopK.ChunkMax];
    private uint _sum;

    /// <summary>Goes to the first chunk of a tensor.</summary>
    public void GoTo(long at) => bytes.Position = at;

    /// <summary>Begins the checksum of a section.</summary>
    public void BeginSum() => _sum = Crc32C.Begin;

    /// <summary>Reads a chunk; the spans are used again for the next one.</summary>
    /// <param name="length">Elements of the chunk.</param>
    /// <param name="places">What moved, rising strictly.</param>
    /// <param name="values">By how much, not judged.</param>
    /// <returns>Malformed (the bytes end), BadCode (places out of form) or None.</returns>
    public Rejection TryNext(int length, out ReadOnlySpan<ushort> places, out ReadOnlySpan<float> values)
    {
        places = default;
        values = default;
        if (!TryFill(2))
        {
            return Rejection.Malformed;
        }

        var count = BinaryPrimitives.ReadUInt16LittleEndian(_chunk);
        if (count == 0)
        {
            return Rejection.None;
        }

        if (count > length)
        {
            return Rejection.BadCode;
        }

        var code = new PlaceCode(length, count);
        var coded = code.Bytes;
        if (!TryFill(coded + (sizeof(float) * count)))
        {
            return Rejection.Malformed;
        }

        if (!EliasFano.TryRead(_chunk.AsSpan(0, coded), code, _places.AsSpan(0, count)))
        {
            return Rejection.BadCode;
        }

        _chunk.AsSpan(coded, sizeof(float) * count).CopyTo(MemoryMarshal.AsBytes(_values.AsSpan()));
        places = _places.AsSpan(0, count);
        values = _values.AsSpan(0, count);
        return Rejection.None;
    }

    /// <summary>Reads the checksum behind a section.</summary>
    /// <returns>False if it is another than that of what was read.</returns>
    public bool EndsWithItsSum()
    {
        var sum = Crc32C.End(_sum);
        return TryFill(SectionCodec.ChecksumBytes) && BinaryPrimitives.ReadUInt32LittleEndian(_chunk) == sum;
    }

    /// <summary>Closes the bytes.</summary>
    public void Dispose() => bytes.Dispose();

    private bool TryFill(int count)
    {
        if (bytes.ReadAtLeast(_chunk.AsSpan(0, count), count, throwOnEndOfStream: false) < count)
        {
            return false;
        }

        _sum = Crc32C.Append(_sum, _chunk.AsSpan(0, count));
        return true;
    }
}
