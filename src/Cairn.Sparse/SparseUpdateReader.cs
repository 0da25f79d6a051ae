using System.Buffers;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Reads and judges an update tensor by tensor from a stream of any content, holding one section at a time.</summary>
public sealed class SparseUpdateReader : IDisposable
{
    private readonly SparseUpdateCodec _codec;
    private readonly Stream _stream;
    private readonly (long From, int Count)[] _sections;
    private long _at;
    private int _next;

    /// <summary>Reads and judges the header.</summary>
    /// <param name="codec">Grid and format.</param>
    /// <param name="stream">Where from; stays the caller's.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="uid">Whose it must be.</param>
    public SparseUpdateReader(SparseUpdateCodec codec, Stream stream, Digest rules, Round round, Uid uid)
    {
        (_codec, _stream, _sections) = (codec, stream, new (long, int)[codec.Grid.TensorCount]);
        Span<byte> header = stackalloc byte[SparseUpdateCodec.HeaderBytes];
        Why = TryFill(header) ? codec.JudgeHeader(header, rules, round, uid) : Rejection.Malformed;
    }

    /// <summary>Why nothing more is read, or <see cref="Rejection.None"/>.</summary>
    public Rejection Why { get; private set; }

    /// <summary>Where the sections read so far stand, without the length before them.</summary>
    internal (long From, int Count)[] Sections => _sections;

    /// <summary>What the tensors are decoded into.</summary>
    internal TensorRoom Room { get; } = new();

    /// <summary>Reads the next tensor; after the last one, that the stream ends there.</summary>
    /// <param name="tensor">The tensor, or null: of use until the next one is read.</param>
    /// <returns>False at the end and at the first fault, which <see cref="Why"/> then names.</returns>
    public bool TryRead(out SparseTensor? tensor)
    {
        tensor = null;
        if (Why != Rejection.None)
        {
            return false;
        }

        if (_next == _codec.Grid.TensorCount)
        {
            Why = _stream.ReadByte() < 0 ? Rejection.None : Rejection.Malformed;
            return false;
        }

        Span<byte> prefix = stackalloc byte[SectionCodec.LengthBytes];
        prefix = prefix[.._codec.PrefixBytes];
        var length = TryFill(prefix) ? (int)_codec.LengthOf(prefix, _next) : -1;
        if (length < 0)
        {
            Why = Rejection.Malformed;
            return false;
        }

        var rented = ArrayPool<byte>.Shared.Rent(length);
        Why = TryReadSection(rented.AsSpan(0, length), out tensor);
        ArrayPool<byte>.Shared.Return(rented);
        return Why == Rejection.None;
    }

    /// <summary>Gives back what the tensors were decoded into.</summary>
    public void Dispose() => Room.Dispose();

    private Rejection TryReadSection(Span<byte> section, out SparseTensor? tensor)
    {
        tensor = null;
        if (!TryFill(section))
        {
            return Rejection.Malformed;
        }

        _sections[_next] = (_at - section.Length, section.Length);
        _codec.TryDecodeTensor(section, _next++, Room, out tensor, out var why);
        return why;
    }

    private bool TryFill(Span<byte> bytes)
    {
        _at += bytes.Length;
        return _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
    }
}
