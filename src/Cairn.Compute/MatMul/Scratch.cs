using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>Memory for packed panels that grows to the largest call and is then kept: no call of a known size allocates.</summary>
internal sealed unsafe class Scratch : IDisposable
{
    private FloatBuffer? _buffer;

    /// <summary>At least that many floats, 64-byte aligned, of any content. Earlier pointers become invalid when it grows.</summary>
    /// <param name="length">At least 1.</param>
    internal float* Take(int length)
    {
        Invariant.Check(length > 0);
        if (_buffer is null || _buffer.Length < length)
        {
            _buffer?.Dispose();
            _buffer = new FloatBuffer(length);
        }

        return (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_buffer.Span));
    }

    /// <inheritdoc/>
    public void Dispose() => _buffer?.Dispose();
}
