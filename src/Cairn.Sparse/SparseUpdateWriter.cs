using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Writes an update tensor by tensor, holding one section at a time.</summary>
public sealed class SparseUpdateWriter
{
    private readonly SparseUpdateCodec _codec;
    private readonly Stream _stream;
    private readonly byte[] _section;
    private int _next;

    /// <summary>Writes the header.</summary>
    /// <param name="codec">Grid and format.</param>
    /// <param name="stream">Where to; stays the caller's.</param>
    /// <param name="rules">Digest of the rules of the run.</param>
    /// <param name="round">The round.</param>
    /// <param name="uid">Whose update it is.</param>
    public SparseUpdateWriter(SparseUpdateCodec codec, Stream stream, Digest rules, Round round, Uid uid)
    {
        (_codec, _stream) = (codec, stream);
        _section = GC.AllocateUninitializedArray<byte>(checked((int)codec.SectionBytesMax));
        stream.Write(codec.Header(rules, round, uid));
    }

    /// <summary>Writes the next tensor.</summary>
    /// <param name="tensor">Of the grid's next cut.</param>
    public void Write(SparseTensor tensor)
    {
        Invariant.Check(ReferenceEquals(tensor.Grid, _codec.Grid[_next]));
        _next++;
        _stream.Write(_section, 0, _codec.WriteSection(tensor, _section));
    }
}

/// <summary>Reads and judges an update tensor by tensor from a stream of any content, holding one section at a time.</summary>
public sealed class SparseUpdateReader
{
    private readonly SparseUpdateCodec _codec;
    private readonly Stream _stream;
    private readonly byte[] _section;
    private int _next;

    /// <summary>Reads and judges the header.</summary>
    /// <param name="codec">Grid and format.</param>
    /// <param name="stream">Where from; stays the caller's.</param>
    /// <param name="rules">The rules it must be made under.</param>
    /// <param name="round">The round it must be of.</param>
    /// <param name="uid">Whose it must be.</param>
    public SparseUpdateReader(SparseUpdateCodec codec, Stream stream, Digest rules, Round round, Uid uid)
    {
        (_codec, _stream) = (codec, stream);
        _section = GC.AllocateUninitializedArray<byte>(checked((int)Math.Max(codec.SectionBytesMax, SparseUpdateCodec.HeaderBytes)));
        Why = TryFill(SparseUpdateCodec.HeaderBytes)
            ? codec.JudgeHeader(_section.AsSpan(0, SparseUpdateCodec.HeaderBytes), rules, round, uid)
            : Rejection.Malformed;
    }

    /// <summary>Why nothing more is read, or <see cref="Rejection.None"/>.</summary>
    public Rejection Why { get; private set; }

    /// <summary>Reads the next tensor; after the last one, that the stream ends there.</summary>
    /// <param name="tensor">The tensor, or null.</param>
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

        var prefix = _codec.PrefixBytes;
        var length = TryFill(prefix) ? (int)_codec.LengthOf(_section.AsSpan(0, prefix), _next) : -1;
        if (length < 0 || !TryFill(length))
        {
            Why = Rejection.Malformed;
            return false;
        }

        _codec.TryDecodeTensor(_section.AsSpan(0, length), _next++, out tensor, out var why);
        Why = why;
        return why == Rejection.None;
    }

    private bool TryFill(int count) => _stream.ReadAtLeast(_section.AsSpan(0, count), count, throwOnEndOfStream: false) == count;
}
