using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Rows of activations in 8 bits, block by block as matrices are: level = round(127·x / largest), halves to even.</summary>
/// <remarks>A row is its scales (each four times, one for every matrix row of a group), then for each block 32 levels and eight sums of −128 · four levels: what
/// the offset of the matrix adds to a product of unsigned by signed bytes is taken off before it is there.</remarks>
internal static unsafe class Int8Activations
{
    /// <summary>Bytes of a block's levels and sums.</summary>
    internal const int BlockBytes = 64;

    private const float RoundingShift = 12_582_912f;

    /// <summary>Bytes of a row's scales.</summary>
    internal static int ScaleBytes(int blocks) =>
        (blocks + Int8Rows.ScaleBlocks - 1) / Int8Rows.ScaleBlocks * Int8Rows.ScaleBlocks * PackedMatrix.GroupRows * sizeof(float);

    /// <summary>Bytes of a row.</summary>
    internal static int RowBytes(int blocks) => ScaleBytes(blocks) + (blocks * BlockBytes);

    /// <summary>Rounds a row.</summary>
    /// <param name="x">The activations.</param>
    /// <param name="columns">How many.</param>
    /// <param name="to">Room for <see cref="RowBytes"/>.</param>
    internal static void Write(float* x, int columns, byte* to)
    {
        var blocks = (columns + Int8Rows.Block - 1) / Int8Rows.Block;
        var levels = to + ScaleBytes(blocks);
        var end = stackalloc float[Int8Rows.Block];
        for (var block = 0; block < blocks; block++)
        {
            var from = x + (block * Int8Rows.Block);
            var count = Math.Min(Int8Rows.Block, columns - (block * Int8Rows.Block));
            if (count < Int8Rows.Block)
            {
                new Span<float>(end, Int8Rows.Block).Clear();
                new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(end, count));
                from = end;
            }

            var scale = Round(from, levels + (block * BlockBytes));
            Vector128.Create(scale).Store((float*)to + (block * PackedMatrix.GroupRows));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Round(float* x, byte* to)
    {
        var (first, second) = (Vector512.Load(x), Vector512.Load(x + Lanes.Count));
        var largest = Lanes.Largest(Lanes.Larger(Vector512.Abs(first), Vector512.Abs(second)));
        var factor = Vector512.Create(largest > 0 ? 127 / largest : 0);
        var shift = Vector512.Create(RoundingShift);
        var levels = Vector512.Narrow(
            Vector512.ConvertToInt32((first * factor) + shift - shift), Vector512.ConvertToInt32((second * factor) + shift - shift));
        var bytes = Vector256.Narrow(levels.GetLower(), levels.GetUpper());
        bytes.Store((sbyte*)to);
        OffsetSums(bytes).Store((int*)(to + Int8Rows.Block));
        // Zero, unless a number is not finite: then neither is the scale, nor what comes of the row, and it is seen.
        return (largest / 127) + Lanes.Sum((first - first) + (second - second));
    }

    private static Vector256<int> OffsetSums(Vector256<sbyte> levels)
    {
        if (Avx2.IsSupported)
        {
            var pairs = Avx2.MultiplyAddAdjacent(Vector256.Create((byte)Int8Rows.Offset), levels);
            return -Avx2.MultiplyAddAdjacent(pairs, Vector256<short>.One);
        }

        var sums = Vector256<int>.Zero;
        for (var i = 0; i < Int8Rows.Block; i++)
        {
            sums = sums.WithElement(i / 4, sums[i / 4] - (Int8Rows.Offset * levels[i]));
        }

        return sums;
    }
}
