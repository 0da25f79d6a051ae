namespace Cairn.Sparse;

/// <summary>Memory for one decoded tensor, used again for the next: it grows to what the longest takes.</summary>
internal sealed class TensorRoom
{
    private ushort[] _indices = [];
    private byte[] _codes = [];
    private byte[] _scales = [];

    /// <summary>Room for so many values and chunks, at least; what stood there is overwritten.</summary>
    public (ushort[] Indices, byte[] Codes, byte[] Scales) Take(int values, int chunks)
    {
        if (_indices.Length < values)
        {
            (_indices, _codes) = (GC.AllocateUninitializedArray<ushort>(values), GC.AllocateUninitializedArray<byte>(values));
        }

        if (_scales.Length < chunks)
        {
            _scales = new byte[chunks];
        }

        return (_indices, _codes, _scales);
    }
}
