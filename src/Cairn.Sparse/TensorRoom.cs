namespace Cairn.Sparse;

/// <summary>Memory for one decoded tensor, used again for the next: it grows to what the longest takes.</summary>
internal sealed class TensorRoom
{
    private ushort[] _indices = [];
    private byte[] _codes = [];
    private byte[] _bytes = [];

    /// <summary>Room for so many places and codes, at least; what stood there is overwritten.</summary>
    public (ushort[] Indices, byte[] Codes) Take(int values)
    {
        if (_indices.Length < values)
        {
            (_indices, _codes) = (GC.AllocateUninitializedArray<ushort>(values), GC.AllocateUninitializedArray<byte>(values));
        }

        return (_indices, _codes);
    }

    /// <summary>Room for exactly so many bytes, whatever they are.</summary>
    public Span<byte> TakeBytes(int count)
    {
        if (_bytes.Length < count)
        {
            _bytes = GC.AllocateUninitializedArray<byte>(count);
        }

        return _bytes.AsSpan(0, count);
    }
}
