using System.Buffers;
using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The bytes of one tensor, readable without any other: book, scales, chunks, checksum (docs/wire.md, "Sparse update").</summary>
internal sealed class SectionCodec
{
    /// <summary>Bytes of the checksum at the end of a section.</summary>
    public const int ChecksumBytes = 4;

    /// <summary>Bytes of the length before a section of the small mode.</summary>
    public const int LengthBytes = 4;

    private readonly IQuantizer _quantizer;
    private readonly WireMode _mode;
    private readonly GapModels? _models;
    private readonly ArrayPool<byte> _pool;

    public SectionCodec(UpdateFormat format, int keep, ArrayPool<byte>? pool = null)
    {
        (_quantizer, _mode, _pool) = (Quantizers.Of(format.Quantizer), format.Mode, pool ?? ArrayPool<byte>.Shared);
        var sizes = format.Quantizer == QuantizerKind.SignMagnitude ? 2 : 1;
        _models = format.Mode == WireMode.Small ? new GapModels(keep, sizes, _quantizer.BitsPerValue - (sizes - 1)) : null;
    }

    /// <summary>Exact size of a section in the fast mode, and the most that one of the small mode takes beside its length.</summary>
    public long FastBytes(TensorGrid grid) =>
        BookBytes(grid) + grid.RecordsBefore(grid.ChunkCount, _quantizer.BitsPerValue) + ChecksumBytes;

    /// <summary>The most bytes that a section takes, its length included: exact in the fast mode.</summary>
    public long BytesMax(TensorGrid grid) => FastBytes(grid) + (_mode == WireMode.Small ? LengthBytes : 0);

    /// <summary>Writes a section.</summary>
    /// <param name="tensor">What is sent.</param>
    /// <param name="target">At least BytesMax.</param>
    /// <returns>How many bytes.</returns>
    public int Write(SparseTensor tensor, Span<byte> target)
    {
        Invariant.Check(tensor.Book.Kind == _quantizer.Kind);
        var fast = checked((int)FastBytes(tensor.Grid));
        if (_mode == WireMode.Fast)
        {
            WriteFast(tensor, target[..fast]);
            return fast;
        }

        var body = target[LengthBytes..];
        var length = WriteSmall(tensor, body[..(fast - 1)]);
        if (length < 0)
        {
            WriteFast(tensor, body[..fast]);
            length = fast;
        }

        BinaryPrimitives.WriteInt32LittleEndian(target, length);
        return LengthBytes + length;
    }

    /// <summary>Reads and judges a section of any content, without the length before it.</summary>
    /// <param name="section">Its bytes.</param>
    /// <param name="grid">How the tensor is cut.</param>
    /// <param name="room">Memory to decode into, that of the tensor read before; null to take new memory.</param>
    /// <param name="tensor">What was sent, or null.</param>
    /// <returns>Malformed (length or checksum), NotFinite, BadCode or None.</returns>
    public Rejection TryRead(ReadOnlySpan<byte> section, TensorGrid grid, TensorRoom? room, out SparseTensor? tensor)
    {
        tensor = null;
        var fast = FastBytes(grid);
        if (section.Length > fast || (_mode == WireMode.Fast && section.Length < fast) || section.Length < BookBytes(grid) + ChecksumBytes
            || BinaryPrimitives.ReadUInt32LittleEndian(section[^ChecksumBytes..]) != Crc32C.Of(section[..^ChecksumBytes]))
        {
            return Rejection.Malformed;
        }

        if (_quantizer.TryRead(section[.._quantizer.HeaderBytes]) is not { } book)
        {
            return Rejection.NotFinite;
        }

        var scaleCount = _quantizer.HasScales ? grid.ChunkCount : 0;
        var (indices, codes, scales) = room?.Take(grid.ValueCount, scaleCount)
            ?? (GC.AllocateUninitializedArray<ushort>(grid.ValueCount), GC.AllocateUninitializedArray<byte>(grid.ValueCount), new byte[scaleCount]);
        var sent = codes.AsSpan(0, grid.ValueCount);
        var scaled = scales.AsSpan(0, scaleCount);
        var coded = section[BookBytes(grid)..^ChecksumBytes];
        var ok = CodePacking.TryUnpack(section[_quantizer.HeaderBytes..BookBytes(grid)], 4, scaled)
            && (section.Length == fast
                ? TryReadFast(coded, grid, indices, sent)
                : TryReadSmall(coded, grid, indices, sent))
            && IsInForm(grid, book, sent, scaled);
        if (!ok)
        {
            return Rejection.BadCode;
        }

        tensor = new SparseTensor(grid, indices, codes, scales, book);
        return _mode == WireMode.Small && section.Length == fast && IsShorterSmall(ref tensor) ? Rejection.BadCode : Rejection.None;
    }

    /// <summary>Judges a section of the fast mode by length, checksum, book and scales, so that its chunks can be read one by one.</summary>
    public Rejection TryOpen(ReadOnlySpan<byte> section, TensorGrid grid, out OpenSection opened)
    {
        opened = default;
        if (section.Length != FastBytes(grid) || BinaryPrimitives.ReadUInt32LittleEndian(section[^ChecksumBytes..]) != Crc32C.Of(section[..^ChecksumBytes]))
        {
            return Rejection.Malformed;
        }

        if (_quantizer.TryRead(section[.._quantizer.HeaderBytes]) is not { } book)
        {
            return Rejection.NotFinite;
        }

        var scales = section[_quantizer.HeaderBytes..BookBytes(grid)];
        if (!TryScalesUsed(scales, grid.ChunkCount, out var used) || !_quantizer.IsBookInForm(book, used))
        {
            return Rejection.BadCode;
        }

        opened = new OpenSection(grid, book, scales, section[BookBytes(grid)..^ChecksumBytes], _quantizer.BitsPerValue, _quantizer.CodesAllowed(book));
        return Rejection.None;
    }

    private bool IsInForm(TensorGrid grid, LevelBook book, ReadOnlySpan<byte> codes, ReadOnlySpan<byte> scales)
    {
        var (used, allowed, ok) = (0, _quantizer.CodesAllowed(book), true);
        for (var chunk = 0; ok && chunk < scales.Length; chunk++)
        {
            var scale = scales[chunk];
            used |= 1 << scale;
            ok = (allowed == LevelBook.AllCodes && scale != LevelBook.ZeroScale)
                || LevelBook.MayHave(codes[grid.FirstValueOf(chunk)..grid.FirstValueOf(chunk + 1)], scale, allowed);
        }

        return ok && _quantizer.IsBookInForm(book, used) && _quantizer.UsesItsBook(book, codes);
    }

    // False if the filling behind the last one is not zero.
    private bool TryScalesUsed(ReadOnlySpan<byte> packed, int chunks, out int used)
    {
        used = 0;
        if (!_quantizer.HasScales)
        {
            return true;
        }

        foreach (var two in packed[..(chunks / 2)])
        {
            used |= (1 << (two & 15)) | (1 << (two >> 4));
        }

        var rest = chunks % 2 == 0 ? 0 : packed[^1];
        used |= chunks % 2 == 0 ? 0 : 1 << (rest & 15);
        return rest < 16;
    }

    private int BookBytes(TensorGrid grid) => _quantizer.HeaderBytes + (_quantizer.HasScales ? CodePacking.Bytes(grid.ChunkCount, 4) : 0);

    private Span<byte> WriteBook(SparseTensor tensor, Span<byte> section)
    {
        var book = BookBytes(tensor.Grid);
        _quantizer.Write(tensor.Book, section[.._quantizer.HeaderBytes]);
        CodePacking.Pack(tensor.Scales, 4, section[_quantizer.HeaderBytes..book]);
        return section[book..];
    }

    private static void WriteChecksum(Span<byte> section) =>
        BinaryPrimitives.WriteUInt32LittleEndian(section[^ChecksumBytes..], Crc32C.Of(section[..^ChecksumBytes]));

    private void WriteFast(SparseTensor tensor, Span<byte> section)
    {
        var records = WriteBook(tensor, section);
        var bits = _quantizer.BitsPerValue;
        for (var chunk = 0; chunk < tensor.Grid.ChunkCount; chunk++)
        {
            var shape = tensor.Grid.ShapeOf(chunk);
            var (places, record) = (shape.Places.Bytes, shape.RecordBytes(bits));
            EliasFano.Write(tensor.IndicesOf(chunk), shape.Places, records[..places]);
            CodePacking.Pack(tensor.CodesOf(chunk), bits, records[places..record]);
            records = records[record..];
        }

        WriteChecksum(section);
    }

    private int WriteSmall(SparseTensor tensor, Span<byte> section)
    {
        var room = section[..Math.Max(0, section.Length - ChecksumBytes)];
        if (room.Length < BookBytes(tensor.Grid) + 1 + RangeEncoder.StateBytes)
        {
            return -1;
        }

        var coded = RangeEncoder.Write(tensor, _models!, WriteBook(tensor, room));
        if (coded < 0)
        {
            return -1;
        }

        var length = BookBytes(tensor.Grid) + coded + ChecksumBytes;
        WriteChecksum(section[..length]);
        return length;
    }

    // Canonical: a section stands in the fast form only where the small one would not be shorter.
    private bool IsShorterSmall(ref SparseTensor? tensor)
    {
        var shorter = WriteSmall(tensor!, new byte[FastBytes(tensor!.Grid) - 1]) >= 0;
        tensor = shorter ? null : tensor;
        return shorter;
    }

    private bool TryReadFast(ReadOnlySpan<byte> records, TensorGrid grid, Span<ushort> indices, Span<byte> codes)
    {
        var ok = true;
        for (var chunk = 0; ok && chunk < grid.ChunkCount; chunk++)
        {
            var shape = grid.ShapeOf(chunk);
            var record = shape.RecordBytes(_quantizer.BitsPerValue);
            ok = TryReadRecord(records[..record], shape, _quantizer.BitsPerValue, indices[..shape.Keep], codes[..shape.Keep]);
            records = records[record..];
            indices = indices[shape.Keep..];
            codes = codes[shape.Keep..];
        }

        return ok;
    }

    /// <summary>Reads and judges the record of one chunk.</summary>
    internal static bool TryReadRecord(ReadOnlySpan<byte> record, ChunkShape shape, int bitsPerValue, Span<ushort> indices, Span<byte> codes)
    {
        var places = shape.Places.Bytes;
        return EliasFano.TryRead(record[..places], shape.Places, indices) & CodePacking.TryUnpack(record[places..], bitsPerValue, codes);
    }

    private unsafe bool TryReadSmall(ReadOnlySpan<byte> coded, TensorGrid grid, Span<ushort> indices, Span<byte> codes)
    {
        if (coded.Length < 1 + RangeEncoder.StateBytes || coded[0] >= _models!.Count)
        {
            return false;
        }

        var rented = _pool.Rent(coded.Length - 1 + (2 * RangeDecoder.Padding));
        var padded = rented.AsSpan(0, coded.Length - 1 + (2 * RangeDecoder.Padding));
        padded[..RangeDecoder.Padding].Clear();
        padded[^RangeDecoder.Padding..].Clear();
        coded[1..].CopyTo(padded[RangeDecoder.Padding..]);
        Span<int> histogram = stackalloc int[4 * GapModels.SymbolsMax];
        histogram.Clear();
        fixed (byte* begin = padded)
        {
            var decoder = new RangeDecoder(begin + RangeDecoder.Padding, coded.Length - 1, _models, coded[0], histogram);
            var ok = decoder.IsBegun;
            for (var chunk = 0; ok && chunk < grid.ChunkCount; chunk++)
            {
                var shape = grid.ShapeOf(chunk);
                ok = decoder.TryRead(shape.Length, indices[..shape.Keep], codes[..shape.Keep]);
                indices = indices[shape.Keep..];
                codes = codes[shape.Keep..];
            }

            for (var i = 0; i < GapModels.SymbolsMax; i++)
            {
                histogram[i] += histogram[GapModels.SymbolsMax + i] + histogram[(2 * GapModels.SymbolsMax) + i] + histogram[(3 * GapModels.SymbolsMax) + i];
            }

            // The decoder reads in the rented bytes until the end is found: after their return they are somebody else's.
            ok = ok && decoder.IsAtEnd && coded[0] == _models.Best(histogram[.._models.Symbols]);
            _pool.Return(rented);
            return ok;
        }
    }
}
