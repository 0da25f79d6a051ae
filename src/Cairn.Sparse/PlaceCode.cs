using System.Numerics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How <see cref="EliasFano"/> writes so many places out of so many elements: l = ⌊log₂(L / k)⌋ low bits each, and a map of k ones among
/// ⌈L / 2^l⌉ zeros.</summary>
internal readonly struct PlaceCode
{
    /// <summary>For k of L.</summary>
    /// <param name="length">L: 1 to 4096.</param>
    /// <param name="count">k: 1 to L.</param>
    public PlaceCode(int length, int count)
    {
        Invariant.Check(length is > 0 and <= TopK.ChunkMax && count > 0 && count <= length);
        (Length, Count, LowBits) = (length, count, BitOperations.Log2((uint)(length / count)));
        LowBytes = ((count * LowBits) + 7) / 8;
        MapBytes = (count + ((length - 1) >> LowBits) + 1 + 7) / 8;
        (Bytes, IsWhole) = (LowBytes + MapBytes, length == TopK.ChunkMax && count == TopK.KeepMax);
    }

    /// <summary>Elements.</summary>
    public int Length { get; }

    /// <summary>Places.</summary>
    public int Count { get; }

    /// <summary>Low bits of a place.</summary>
    public int LowBits { get; }

    /// <summary>Bytes of all low bits.</summary>
    public int LowBytes { get; }

    /// <summary>Bytes of the map.</summary>
    public int MapBytes { get; }

    /// <summary>Bytes of both.</summary>
    public int Bytes { get; }

    /// <summary>Whether it is 64 of 4096, as of nearly every chunk.</summary>
    public bool IsWhole { get; }
}
