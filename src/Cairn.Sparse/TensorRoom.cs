using System.Buffers;

namespace Cairn.Sparse;

/// <summary>Memory for one decoded tensor, used again for the next: it grows to what the longest takes, and comes from the common pool, so that the updates of a round
/// leave no garbage of their size behind.</summary>
internal sealed class TensorRoom : IDisposable
{
    private ushort[] _indices = [];
    private byte[] _codes = [];
    private byte[] _scales = [];

    /// <summary>Room for so many values and chunks, at least; what stood there is overwritten.</summary>
    public (ushort[] Indices, byte[] Codes, byte[] Scales) Take(int values, int chunks)
    {
        Grow(ref _indices, values);
        Grow(ref _codes, values);
        Grow(ref _scales, chunks);
        return (_indices, _codes, _scales);
    }

    /// <summary>Gives it back: what was decoded into it is of no use any more.</summary>
    public void Dispose()
    {
        Return(ref _indices);
        Return(ref _codes);
        Return(ref _scales);
    }

    private static void Grow<T>(ref T[] array, int count)
    {
        if (array.Length < count)
        {
            Return(ref array);
            array = ArrayPool<T>.Shared.Rent(count);
        }
    }

    private static void Return<T>(ref T[] array)
    {
        if (array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(array);
            array = [];
        }
    }
}
