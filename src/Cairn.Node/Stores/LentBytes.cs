using System.Buffers;

namespace Cairn.Node;

/// <summary>Memory from the common pool, given back when disposed: what is as large as an update is not to become garbage with every one.</summary>
/// <param name="count">Exactly so many bytes, whatever they are.</param>
internal sealed class LentBytes(int count) : IDisposable
{
    private byte[]? _rented = ArrayPool<byte>.Shared.Rent(count);

    /// <summary>The bytes; of no use once this is disposed.</summary>
    public Memory<byte> Memory => (_rented ?? throw new ObjectDisposedException(nameof(LentBytes))).AsMemory(0, count);

    public void Dispose()
    {
        if (_rented is { } rented)
        {
            _rented = null;
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
