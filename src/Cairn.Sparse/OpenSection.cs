using System.Runtime.CompilerServices;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>One tensor's section in the fast mode, of which any chunk can be read by itself: for audits, and for whoever needs a part only.</summary>
public readonly ref struct OpenSection
{
    private readonly TensorGrid _grid;
    private readonly LevelBook _book;
    private readonly ReadOnlySpan<byte> _scales;
    private readonly ReadOnlySpan<byte> _records;
    private readonly int _bitsPerValue;
    private readonly int _codesAllowed;

    internal OpenSection(TensorGrid grid, LevelBook book, ReadOnlySpan<byte> scales, ReadOnlySpan<byte> records, int bitsPerValue, int codesAllowed)
    {
        (_grid, _book, _bitsPerValue, _codesAllowed) = (grid, book, bitsPerValue, codesAllowed);
        _scales = scales;
        _records = records;
    }

    /// <summary>Reads and judges one chunk.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    /// <param name="indices">Receives the places: as many as are sent of the chunk.</param>
    /// <param name="values">Receives as many values.</param>
    /// <returns>False if the chunk is out of form: its places, its filling, or codes that its scale and the book do not allow.</returns>
    /// <remarks>Refuses what a reader of the whole section refuses of this chunk. What only all chunks together tell is not asked here: whether a code of each level
    /// occurs. Cost: about a nanosecond a value, from any place.</remarks>
    [SkipLocalsInit]
    public bool TryRead(int chunk, Span<ushort> indices, Span<float> values)
    {
        var shape = _grid.ShapeOf(chunk);
        Invariant.Check(indices.Length == shape.Keep && values.Length == shape.Keep);
        var record = _records.Slice((int)_grid.RecordsBefore(chunk, _bitsPerValue), shape.RecordBytes(_bitsPerValue));
        var packed = record[shape.Places.Bytes..];
        var scale = _scales.IsEmpty ? 0 : (_scales[chunk / 2] >> (4 * (chunk & 1))) & 15;
        if (!EliasFano.TryRead(record[..shape.Places.Bytes], shape.Places, indices) || !CodePacking.IsFilledWithZeros(packed, _bitsPerValue, shape.Keep)
            || ((_codesAllowed != LevelBook.AllCodes || scale == LevelBook.ZeroScale) && !MayHave(packed, shape.Keep, scale)))
        {
            return false;
        }

        ChunkValues.ReadPacked(_book.Table.Slice(4 * scale, 4), packed, _bitsPerValue, values);
        return true;
    }

    private bool MayHave(ReadOnlySpan<byte> packed, int count, int scale)
    {
        Span<byte> codes = stackalloc byte[TopK.KeepMax];
        CodePacking.TryUnpack(packed, _bitsPerValue, codes[..count]);
        return LevelBook.MayHave(codes[..count], scale, _codesAllowed);
    }
}
