using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The keys and values of many texts, in pages of 16 tokens: keys turned so that a vector holds one number of 16 tokens, values token by token.</summary>
/// <remarks>Memory outside the garbage-collected heap, zeroed. Who holds which page is the caller's affair.</remarks>
public sealed unsafe class KeyValuePages : IDisposable
{
    /// <summary>Tokens of a page: the lanes of a vector.</summary>
    public const int PageTokens = Lanes.Count;

    // Values are read two vectors at a time.
    private const int ValueStep = 2 * Lanes.Count;
    private const nuint Alignment = 64;

    private readonly nint _headFloats;
    private readonly nint _pageFloats;
    private float* _memory;

    /// <summary>Takes the memory.</summary>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="kvHeads">Key/value heads.</param>
    /// <param name="headDim">Width of a head.</param>
    /// <param name="pages">Pages; at least 1.</param>
    public KeyValuePages(int layers, int kvHeads, int headDim, int pages)
    {
        Invariant.Check(layers > 0 && kvHeads > 0 && headDim > 0 && pages > 0);
        (Layers, KvHeads, HeadDim, Pages) = (layers, kvHeads, headDim, pages);
        _headFloats = (nint)PageTokens * (headDim + ValueWidth);
        _pageFloats = kvHeads * _headFloats;
        Bytes = (long)layers * pages * _pageFloats * sizeof(float);
        _memory = (float*)NativeMemory.AlignedAlloc((nuint)Bytes, Alignment);
        GC.AddMemoryPressure(Bytes);
        NativeMemory.Clear(_memory, (nuint)Bytes);
    }

    /// <summary>Layers.</summary>
    public int Layers { get; }

    /// <summary>Key/value heads.</summary>
    public int KvHeads { get; }

    /// <summary>Width of a head.</summary>
    public int HeadDim { get; }

    /// <summary>Pages.</summary>
    public int Pages { get; }

    /// <summary>Memory taken.</summary>
    public long Bytes { get; }

    /// <summary>Floats between the values of two tokens: the width of a head, up to whole steps.</summary>
    internal int ValueWidth => (HeadDim + (ValueStep - 1)) / ValueStep * ValueStep;

    /// <summary>Floats between two pages of a layer.</summary>
    internal nint PageFloats => _pageFloats;

    /// <summary>The keys of a head in page 0 of a layer: [HeadDim, 16] in every page.</summary>
    internal float* Keys(int layer, int head) => _memory + ((layer * (nint)Pages * _pageFloats) + (head * _headFloats));

    /// <summary>The values of a head in page 0 of a layer: [16, <see cref="ValueWidth"/>] in every page.</summary>
    internal float* Values(int layer, int head) => Keys(layer, head) + ((nint)PageTokens * HeadDim);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_memory != null)
        {
            Free();
            GC.RemoveMemoryPressure(Bytes);
            GC.SuppressFinalize(this);
        }
    }

    /// <summary>Frees the memory of pages nobody disposed.</summary>
    ~KeyValuePages() => Free();

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}
