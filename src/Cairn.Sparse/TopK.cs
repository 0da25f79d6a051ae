using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The k elements of a chunk that are largest in absolute value: exact, ties to the lower index, the same on every machine.</summary>
/// <remarks>SparseLoCo (arXiv:2508.15706), Top-k per chunk. Both ways of computing go through the same four steps over the bits of |x|, which order
/// as integers: the maxima of 128 interleaved groups; a bit search for a threshold that at least k of them reach, so at least k elements do; one
/// pass that collects the candidates (about 90 of 4096); a bit search among them for the k-th largest. Cost: two reads of the chunk, which then
/// lies in the first-level cache.</remarks>
public static unsafe class TopK
{
    /// <summary>The longest chunk.</summary>
    public const int ChunkMax = 4096;

    /// <summary>The most elements kept of a chunk.</summary>
    public const int KeepMax = 64;

    internal const int Groups = 128;
    internal const int AbsoluteMask = 0x7FFF_FFFF;
    private const int InfinityBits = 0x7F80_0000;

    // The threshold need only be a lower bound, so the bit search over the group maxima stops early.
    private const int FirstBit = 30;
    private const int LastBit = 18;

    /// <summary>Finds the largest elements.</summary>
    /// <param name="chunk">1 to 4096 numbers.</param>
    /// <param name="indices">Receives the places in ascending order; its length says how many: 1 to min(64, length of the chunk).</param>
    /// <returns>False if the chunk holds a NaN or an infinity; <paramref name="indices"/> is then of no use.</returns>
    [SkipLocalsInit]
    public static bool Select(ReadOnlySpan<float> chunk, Span<ushort> indices)
    {
        Invariant.Check(chunk.Length is > 0 and <= ChunkMax);
        Invariant.Check(indices.Length > 0 && indices.Length <= Math.Min(KeepMax, chunk.Length));
        if (chunk.Length % Groups == 0)
        {
            fixed (float* x = chunk)
            {
                return SelectPadded(x, chunk.Length, indices);
            }
        }

        // Zeros at the end are never chosen before a real element: ties go to the lower index.
        var length = (chunk.Length + Groups - 1) / Groups * Groups;
        var padded = stackalloc float[ChunkMax];
        chunk.CopyTo(new Span<float>(padded, ChunkMax));
        new Span<float>(padded + chunk.Length, length - chunk.Length).Clear();
        return SelectPadded(padded, length, indices);
    }

    /// <summary>As <see cref="Select"/>, for a multiple of 128 numbers of which the last may be padding zeros.</summary>
    internal static bool SelectPadded(float* x, int length, Span<ushort> indices)
    {
        fixed (ushort* o = indices)
        {
            return Avx512F.IsSupported
                ? TopKAvx512.Select((int*)x, length, o, indices.Length)
                : TopKPortable.Select((int*)x, length, o, indices.Length);
        }
    }

    internal static bool IsFinite(int largestMaximum) => largestMaximum < InfinityBits;

    /// <summary>The bits to try for the first threshold, from the highest.</summary>
    internal static (int First, int Last) ThresholdBits => (FirstBit, LastBit);

    /// <summary>Writes the places of the first k candidates in order that exceed the k-th largest, and of as many that equal it as are still
    /// wanted.</summary>
    internal static void Emit(int* keys, int* places, int count, int kth, int above, ushort* indices, int keep)
    {
        var equal = keep - above;
        var at = 0;
        for (var i = 0; i < count && at < keep; i++)
        {
            if (keys[i] > kth || (keys[i] == kth && equal-- > 0))
            {
                indices[at++] = (ushort)places[i];
            }
        }
    }
}
