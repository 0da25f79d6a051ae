using System.Numerics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>One of the at most four sizes that the chunks of a tensor have: whole, at the right edge, at the lower edge, in the corner.</summary>
/// <remarks>Of a chunk of L elements k = ⌈L · keep / 4096⌉ are sent, so that every part of every tensor is sent at the same density. Their places are coded by
/// Elias and Fano: l = ⌊log₂(L / k)⌋ low bits each, and the rest as a map of k ones among ⌈L / 2^l⌉ zeros.</remarks>
public sealed class ChunkShape
{
    private readonly int[] _offsets;

    internal ChunkShape(int rows, int cols, int stride, int keep)
    {
        (Rows, Cols, Length) = (rows, cols, rows * cols);
        Keep = (int)(((long)Length * keep + TopK.ChunkMax - 1) / TopK.ChunkMax);
        Invariant.Check(Length is > 0 and <= TopK.ChunkMax && Keep <= Math.Min(TopK.KeepMax, Length));
        LowBits = BitOperations.Log2((uint)(Length / Keep));
        Buckets = ((Length - 1) >> LowBits) + 1;
        LowBytes = ((Keep * LowBits) + 7) / 8;
        MapBytes = (Keep + Buckets + 7) / 8;
        _offsets = new int[Length];
        for (var i = 0; i < Length; i++)
        {
            _offsets[i] = (i / cols * stride) + (i % cols);
        }
    }

    /// <summary>Rows of the chunk.</summary>
    public int Rows { get; }

    /// <summary>Columns of the chunk.</summary>
    public int Cols { get; }

    /// <summary>Elements: 1 to 4096.</summary>
    public int Length { get; }

    /// <summary>Values sent: 1 to 64.</summary>
    public int Keep { get; }

    /// <summary>Low bits of a coded place.</summary>
    public int LowBits { get; }

    /// <summary>Zeros in the map.</summary>
    public int Buckets { get; }

    /// <summary>Bytes of all low bits.</summary>
    public int LowBytes { get; }

    /// <summary>Bytes of the map.</summary>
    public int MapBytes { get; }

    /// <summary>Where each element lies, counted from the chunk's first element in the tensor: [Length].</summary>
    public ReadOnlySpan<int> Offsets => _offsets;

    /// <summary>Bytes of the codes of one chunk.</summary>
    /// <param name="bitsPerValue">1 or 2.</param>
    public int CodeBytes(int bitsPerValue) => ((Keep * bitsPerValue) + 7) / 8;

    /// <summary>Bytes of one chunk in the fast mode: low bits, map, codes.</summary>
    /// <param name="bitsPerValue">1 or 2.</param>
    public int RecordBytes(int bitsPerValue) => LowBytes + MapBytes + CodeBytes(bitsPerValue);
}
