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
