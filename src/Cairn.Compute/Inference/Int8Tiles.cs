using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cairn.Compute;

/// <summary>Products of a group of four matrix rows with one or two rows of activations, all in 8 bits. Blocks are multiplied exactly, in integers; their sums
/// are scaled and added in the order of the blocks over eight lanes, which are joined by one tree at the end.</summary>
internal static unsafe class Int8Tiles
{
    /// <summary>The most rows of activations.</summary>
    internal const int RowsMax = 2;

    private const int StepBytes = PackedMatrix.GroupRows * Int8Rows.Block;
    private const int ScaleLanes = Int8Rows.ScaleBlocks * PackedMatrix.GroupRows;

    /// <summary>y[r, 0…3] (added to when <paramref name="add"/>) = w · x[r].</summary>
    /// <param name="rows">1 or 2.</param>
    /// <param name="blocks">Blocks of 32; at least 1.</param>
    /// <param name="scales">A group's scales.</param>
    /// <param name="w">A group's levels.</param>
    /// <param name="x">First row, as <see cref="Int8Activations"/> writes it.</param>
    /// <param name="xRow">Bytes between rows of x.</param>
    /// <param name="y">First of four.</param>
    /// <param name="yRow">Floats between rows of y.</param>
    /// <param name="add">Whether y is added to.</param>
    internal static void Run(int rows, int blocks, ushort* scales, byte* w, byte* x, nint xRow, float* y, nint yRow, bool add)
    {
        if (rows == 1)
        {
            One(blocks, scales, w, x, y, add);
        }
        else
        {
            Two(blocks, scales, w, x, xRow, y, yRow, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One(int blocks, ushort* scales, byte* w, byte* x, float* y, bool add)
    {
        var factors = stackalloc float[ScaleLanes];
        var xScales = (float*)x;
        x += Int8Activations.ScaleBytes(blocks);
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (; blocks > 0; blocks -= Int8Rows.ScaleBlocks, scales += ScaleLanes, xScales += ScaleLanes)
        {
            (Scales(scales) * Vector512.Load(xScales)).Store(factors);
            var f = factors;
            for (var left = Math.Min(blocks, Int8Rows.ScaleBlocks); left > 0; left--)
            {
                var v = Vector256.Load((sbyte*)x);
                var offset = Vector256.Load((int*)(x + Int8Rows.Block));
                s0 = Vector256.FusedMultiplyAdd(Product(w, v, offset), Vector256.Create(f[0]), s0);
                s1 = Vector256.FusedMultiplyAdd(Product(w + Int8Rows.Block, v, offset), Vector256.Create(f[1]), s1);
                s2 = Vector256.FusedMultiplyAdd(Product(w + (2 * Int8Rows.Block), v, offset), Vector256.Create(f[2]), s2);
                s3 = Vector256.FusedMultiplyAdd(Product(w + (3 * Int8Rows.Block), v, offset), Vector256.Create(f[3]), s3);
                w += StepBytes;
                x += Int8Activations.BlockBytes;
                f += PackedMatrix.GroupRows;
            }
        }

        RowSums.Put(RowSums.OfFour(s0, s1, s2, s3), y, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two(int blocks, ushort* scales, byte* w, byte* x, nint xRow, float* y, nint yRow, bool add)
    {
        var factors = stackalloc float[2 * ScaleLanes];
        var xScales = (float*)x;
        var nextScales = (float*)(x + xRow);
        x += Int8Activations.ScaleBytes(blocks);
        Vector256<float> s00 = default, s01 = default, s02 = default, s03 = default;
        Vector256<float> s10 = default, s11 = default, s12 = default, s13 = default;
        for (; blocks > 0; blocks -= Int8Rows.ScaleBlocks, scales += ScaleLanes, xScales += ScaleLanes, nextScales += ScaleLanes)
        {
            var matrixScales = Scales(scales);
            (matrixScales * Vector512.Load(xScales)).Store(factors);
            (matrixScales * Vector512.Load(nextScales)).Store(factors + ScaleLanes);
            var f = factors;
            for (var left = Math.Min(blocks, Int8Rows.ScaleBlocks); left > 0; left--)
            {
                var v = Vector256.Load((sbyte*)x);
                var offset = Vector256.Load((int*)(x + Int8Rows.Block));
                s00 = Vector256.FusedMultiplyAdd(Product(w, v, offset), Vector256.Create(f[0]), s00);
                s01 = Vector256.FusedMultiplyAdd(Product(w + Int8Rows.Block, v, offset), Vector256.Create(f[1]), s01);
                s02 = Vector256.FusedMultiplyAdd(Product(w + (2 * Int8Rows.Block), v, offset), Vector256.Create(f[2]), s02);
                s03 = Vector256.FusedMultiplyAdd(Product(w + (3 * Int8Rows.Block), v, offset), Vector256.Create(f[3]), s03);
                v = Vector256.Load((sbyte*)(x + xRow));
                offset = Vector256.Load((int*)(x + xRow + Int8Rows.Block));
                s10 = Vector256.FusedMultiplyAdd(Product(w, v, offset), Vector256.Create(f[ScaleLanes]), s10);
                s11 = Vector256.FusedMultiplyAdd(Product(w + Int8Rows.Block, v, offset), Vector256.Create(f[ScaleLanes + 1]), s11);
                s12 = Vector256.FusedMultiplyAdd(Product(w + (2 * Int8Rows.Block), v, offset), Vector256.Create(f[ScaleLanes + 2]), s12);
                s13 = Vector256.FusedMultiplyAdd(Product(w + (3 * Int8Rows.Block), v, offset), Vector256.Create(f[ScaleLanes + 3]), s13);
                w += StepBytes;
                x += Int8Activations.BlockBytes;
                f += PackedMatrix.GroupRows;
            }
        }

        RowSums.Put(RowSums.OfFour(s00, s01, s02, s03), y, add);
        RowSums.Put(RowSums.OfFour(s10, s11, s12, s13), y + yRow, add);
    }

    // Sixteen halves, none negative and all finite: their bits, moved to where fp32 has them, are the number times 2^-112.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scales(ushort* halves)
    {
        var (lower, upper) = Vector256.Widen(Vector256.Load(halves));
        return Vector512.ShiftLeft(Vector512.Create(lower, upper), 13).AsSingle() * Vector512.Create(5.192296858534828E+33f);
    }

    /// <summary>Eight sums of four products of level by level, as floats: below 2^24, hence exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Product(byte* w, Vector256<sbyte> v, Vector256<int> offset)
    {
        var levels = Vector256.Load(w);
        if (AvxVnni.IsSupported)
        {
            return Vector256.ConvertToSingle(AvxVnni.MultiplyWideningAndAdd(offset, levels, v));
        }

        if (Avx2.IsSupported)
        {
            var low = Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(levels.GetLower()), Avx2.ConvertToVector256Int16(v.GetLower()));
            var high = Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(levels.GetUpper()), Avx2.ConvertToVector256Int16(v.GetUpper()));
            var quads = Avx2.Permute4x64(Avx2.HorizontalAdd(low, high).AsInt64(), 0b11_01_10_00).AsInt32();
            return Vector256.ConvertToSingle(offset + quads);
        }

        return Plain(levels, v, offset);
    }

    private static Vector256<float> Plain(Vector256<byte> levels, Vector256<sbyte> v, Vector256<int> offset)
    {
        for (var i = 0; i < Int8Rows.Block; i++)
        {
            offset = offset.WithElement(i / 4, offset[i / 4] + (levels[i] * v[i]));
        }

        return Vector256.ConvertToSingle(offset);
    }
}
