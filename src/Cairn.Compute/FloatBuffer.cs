using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>A run of fp32 numbers outside the garbage-collected heap, 64-byte aligned and zeroed: parameters, gradients, moments, activations.</summary>
public sealed unsafe class FloatBuffer : IDisposable
{
    private const nuint Alignment = 64;
    private float* _pointer;

    /// <summary>Takes memory for that many floats, all zero.</summary>
    /// <param name="length">At least 1 and below 2^31: a larger tensor is held in pieces.</param>
    public FloatBuffer(int length)
    {
        Invariant.Check(length > 0);
        Length = length;
        _pointer = (float*)NativeMemory.AlignedAlloc((nuint)length * sizeof(float), Alignment);
        GC.AddMemoryPressure((long)length * sizeof(float));
        Span.Clear();
    }

    /// <summary>How many floats.</summary>
    public int Length { get; }

    /// <summary>All of them. The span must not outlive the buffer.</summary>
    public Span<float> Span
    {
        get
        {
            Invariant.Check(_pointer != null);
            return new Span<float>(_pointer, Length);
        }
    }

    /// <summary>A part of them.</summary>
    /// <param name="start">First float.</param>
    /// <param name="length">How many.</param>
    public Span<float> Slice(int start, int length) => Span.Slice(start, length);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_pointer != null)
        {
            NativeMemory.AlignedFree(_pointer);
            _pointer = null;
            GC.RemoveMemoryPressure((long)Length * sizeof(float));
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Frees the memory of a buffer nobody disposed.</summary>
    ~FloatBuffer()
    {
        if (_pointer != null)
        {
            NativeMemory.AlignedFree(_pointer);
        }
    }
}
