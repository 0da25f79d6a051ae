using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The bytes of an update under one grid and one format (docs/wire.md, "Sparse update"): one form for one content.</summary>
/// <remarks>Sections follow the header tensor by tensor; <see cref="SparseUpdateWriter"/> and <see cref="SparseUpdateReader"/> hold one at a time. Safe for any number of
/// callers at once. Little-endian processors only, as everything here that reads bytes as numbers: the constructor checks it.</remarks>
public sealed class SparseUpdateCodec
{
    /// <summary>Bytes before the first tensor: magic 4, version 1, quantiser 1, mode 1, zero 1, rules digest 32, round 4, uid 4, tensor count 4, grid digest 32,
    /// checksum 4.</summary>
    public const int HeaderBytes = 4 + 4 + Digest.Size + 4 + 4 + 4 + Digest.Size + SectionCodec.ChecksumBytes;

    /// <summary>The version of the format.</summary>
    public const int Version = 1;

    private readonly SectionCodec _sections;

    /// <summary>Makes a codec, its tables included.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="format">How codes are made and written.</param>
    public SparseUpdateCodec(ChunkGrid grid, UpdateFormat format)
    {
        Invariant.Check(BitConverter.IsLittleEndian);
        Invariant.Check(Enum.IsDefined(format.Quantizer) && Enum.IsDefined(format.Mode));
        (Grid, Format) = (grid, format);
        _sections = new SectionCodec(format, grid.Keep);
        BytesMax = HeaderBytes;
        for (var i = 0; i < grid.TensorCount; i++)
        {
            var bytes = _sections.BytesMax(grid[i]);
            BytesMax += bytes;
            SectionBytesMax = Math.Max(SectionBytesMax, bytes);
        }
    }

    /// <summary>How the model is cut.</summary>
    public ChunkGrid Grid { get; }

    /// <summary>How codes are made and written.</summary>
    public UpdateFormat Format { get; }

    /// <summary>The most bytes that an update takes: in the fast mode every update takes exactly these.</summary>
    public long BytesMax { get; }

    /// <summary>The most bytes that one tensor takes.</summary>
    public long SectionBytesMax { get; }

    private static ReadOnlySpan<byte> Magic => "CSUP"u8;

    /// <summary>Where a tensor's section begins in the fast mode, so that it can be fetched alone.</summary>
    /// <param name="tensor">0 to TensorCount; the last gives the end.</param>
    public long FastOffsetOf(int tensor)
    {
        Invariant.Check(Format.Mode == WireMode.Fast);
        var at = (long)HeaderBytes;
        for (var i = 0; i < tensor; i++)
        {
            at += _sections.FastBytes(Grid[i]);
        }

        return at;
    }

    /// <summary>Whether an update may have that many bytes.</summary>
    public bool IsPossible(long bytes) => Format.Mode == WireMode.Fast ? bytes == BytesMax : bytes > HeaderBytes && bytes <= BytesMax;

    /// <summary>Encodes an update into one array.</summary>
    /// <param name="update">Its bytes must fit an array (below 2^31).</param>
    public byte[] Encode(SparseUpdate update)
    {
        using var stream = new MemoryStream(checked((int)BytesMax));
        var writer = new SparseUpdateWriter(this, stream, update.Rules, update.Round, update.Uid);
        for (var i = 0; i < Grid.TensorCount; i++)
        {
            writer.Write(update[i]);
        }

        return stream.Length == stream.Capacity ? stream.GetBuffer() : stream.ToArray();
    }

    /// <summary>Decodes and judges an update from anywhere. Never throws on any bytes; allocates the decoded form, and in the small mode what one section takes at a
    /// time: its bytes padded, and its small form again where it came in the fast one. All of that only for bytes of a possible length.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="uid">Whose it must be.</param>
    /// <param name="update">The update, or null.</param>
    /// <param name="why">Why not, or <see cref="Rejection.None"/>: TooLarge or Malformed (length, magic, version, format, checksum), WrongRules, Late (another round),
    /// BadSignature (another author), WrongShape (another grid), NotFinite (a number that is not finite or out of range), BadCode (places, codes, levels or filling bits
    /// out of form).</param>
    /// <returns>True if it may be used.</returns>
    public bool TryDecode(ReadOnlySpan<byte> bytes, Digest rules, Round round, Uid uid, out SparseUpdate? update, out Rejection why)
    {
        update = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge
            : bytes.Length < HeaderBytes ? Rejection.Malformed
            : JudgeHeader(bytes[..HeaderBytes], rules, round, uid);
        why = why == Rejection.None && !IsPossible(bytes.Length) ? Rejection.Malformed : why;
        var tensors = new SparseTensor[why == Rejection.None ? Grid.TensorCount : 0];
        bytes = why == Rejection.None ? bytes[HeaderBytes..] : default;
        for (var i = 0; i < tensors.Length && why == Rejection.None; i++)
        {
            why = TryTake(ref bytes, i, out var section) ? _sections.TryRead(section, Grid[i], null, out tensors[i]!) : Rejection.Malformed;
        }

        why = why == Rejection.None && bytes.Length > 0 ? Rejection.Malformed : why;
        if (why == Rejection.None)
        {
            update = new SparseUpdate(Grid, rules, round, uid, tensors);
        }

        return update is not null;
    }

    /// <summary>Decodes and judges one tensor's section, fetched alone.</summary>
    /// <param name="section">In the small mode without the length before it.</param>
    /// <param name="tensor">Which: 0 to Grid.TensorCount − 1.</param>
    /// <param name="sent">The tensor, or null.</param>
    /// <param name="why">Malformed, NotFinite, BadCode or None.</param>
    /// <returns>True if it may be used.</returns>
    public bool TryDecodeTensor(ReadOnlySpan<byte> section, int tensor, out SparseTensor? sent, out Rejection why) =>
        TryDecodeTensor(section, tensor, null, out sent, out why);

    /// <summary>Judges a section of the fast mode, fetched alone, by length, checksum, book and scales, so that its chunks can be read one by one.</summary>
    /// <param name="section">Its bytes.</param>
    /// <param name="tensor">Which tensor it is of.</param>
    /// <param name="opened">Gives the chunks; of no use when false comes back.</param>
    /// <param name="why">Malformed, NotFinite, BadCode (book and scales contradict each other) or None.</param>
    public bool TryOpenTensor(ReadOnlySpan<byte> section, int tensor, out OpenSection opened, out Rejection why)
    {
        Invariant.Check(Format.Mode == WireMode.Fast);
        why = _sections.TryOpen(section, Grid[tensor], out opened);
        return why == Rejection.None;
    }

    internal bool TryDecodeTensor(ReadOnlySpan<byte> section, int tensor, TensorRoom? room, out SparseTensor? sent, out Rejection why)
    {
        why = _sections.TryRead(section, Grid[tensor], room, out sent);
        return why == Rejection.None;
    }

    internal int WriteSection(SparseTensor tensor, Span<byte> target) => _sections.Write(tensor, target);

    internal byte[] Header(Digest rules, Round round, Uid uid)
    {
        var writer = new WireWriter();
        writer.Raw(Magic);
        writer.Int32(Version | ((int)Format.Quantizer << 8) | ((int)Format.Mode << 16));
        writer.Digest(rules);
        writer.Int32(round.Number);
        writer.Int32(uid.Value);
        writer.Int32(Grid.TensorCount);
        writer.Digest(Grid.Digest);
        writer.Int32((int)Crc32C.Of(writer.Written));
        Invariant.Check(writer.Written.Length == HeaderBytes);
        return writer.Written.ToArray();
    }

    internal Rejection JudgeHeader(ReadOnlySpan<byte> header, Digest rules, Round round, Uid uid)
    {
        var reader = new WireReader(header);
        var known = reader.Raw(Magic.Length).SequenceEqual(Magic)
            & reader.Int32() == (Version | ((int)Format.Quantizer << 8) | ((int)Format.Mode << 16));
        var (itsRules, itsRound, itsUid) = (reader.Digest(), reader.Int32(), reader.Int32());
        var (itsCount, itsGrid) = (reader.Int32(), reader.Digest());
        var sum = (uint)reader.Int32();
        return !known || !reader.Complete || sum != Crc32C.Of(header[..^SectionCodec.ChecksumBytes]) ? Rejection.Malformed
            : itsRules != rules ? Rejection.WrongRules
            : itsRound != round.Number ? Rejection.Late
            : itsUid != uid.Value ? Rejection.BadSignature
            : itsCount != Grid.TensorCount || itsGrid != Grid.Digest ? Rejection.WrongShape
            : Rejection.None;
    }

    /// <summary>How long the next section is; −1 if that cannot be.</summary>
    /// <param name="prefix">In the small mode the four bytes before it.</param>
    /// <param name="tensor">Which.</param>
    internal long LengthOf(ReadOnlySpan<byte> prefix, int tensor)
    {
        var fast = _sections.FastBytes(Grid[tensor]);
        var length = Format.Mode == WireMode.Fast ? fast : BinaryPrimitives.ReadInt32LittleEndian(prefix);
        return length >= 0 && length <= fast ? length : -1;
    }

    /// <summary>Bytes before a section that tell its length.</summary>
    internal int PrefixBytes => Format.Mode == WireMode.Small ? SectionCodec.LengthBytes : 0;

    private bool TryTake(ref ReadOnlySpan<byte> bytes, int tensor, out ReadOnlySpan<byte> section)
    {
        section = default;
        if (bytes.Length < PrefixBytes)
        {
            return false;
        }

        var length = LengthOf(bytes[..PrefixBytes], tensor);
        bytes = bytes[PrefixBytes..];
        if (length < 0 || length > bytes.Length)
        {
            return false;
        }

        section = bytes[..(int)length];
        bytes = bytes[(int)length..];
        return true;
    }
}
