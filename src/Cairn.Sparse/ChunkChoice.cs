using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>The first pass of <see cref="SparseEncoder"/> over one tensor, in bands of chunks: a = β·e + Δ, and the places and values of what is
/// kept.</summary>
internal readonly unsafe struct ChunkChoice : IWork
{
    // Chunks that are accumulated together: their copies lie in the second-level cache.
    private const int Band = 8;
    private readonly TensorGrid _grid;
    private readonly float _decay;
    private readonly float* _error, _delta, _accumulated, _values;
    private readonly ushort* _indices;
    private readonly int* _diverged;

    public ChunkChoice(
        TensorGrid grid, float decay, float* error, float* delta, float* accumulated, ushort* indices, float* values, int* diverged)
    {
        _grid = grid;
        _decay = decay;
        _error = error;
        _delta = delta;
        _accumulated = accumulated;
        _indices = indices;
        _values = values;
        _diverged = diverged;
    }

    /// <summary>Items of this work.</summary>
    public int Count => (_grid.ChunkCount + Band - 1) / Band;

    [SkipLocalsInit]
    public void Run(int item, int worker)
    {
        var buffer = stackalloc float[(Band * TopK.ChunkMax) + 16];
        var copies = (float*)(((nuint)buffer + 63) & ~(nuint)63);
        var end = Math.Min(_grid.ChunkCount, (item + 1) * Band);
        for (var chunk = item * Band; chunk < end;)
        {
            var count = _grid.SideBySide(chunk, end - chunk);
            Accumulate(chunk, count, copies);
            for (var i = 0; i < count; i++)
            {
                ChooseOf(chunk + i, copies + (i * TopK.ChunkMax));
            }

            chunk += count;
        }
    }

    private void ChooseOf(int chunk, float* copy)
    {
        var shape = _grid.ShapeOf(chunk);
        var length = shape.Length;
        var padded = (length + TopK.Groups - 1) / TopK.Groups * TopK.Groups;
        new Span<float>(copy + length, padded - length).Clear();
        var first = _grid.FirstValueOf(chunk);
        var chosen = new Span<ushort>(_indices + first, shape.Keep);
        if (!TopK.SelectPadded(copy, padded, chosen))
        {
            *_diverged = 1; // Workers may write it at once: all write the same.
            chosen.Clear();
        }

        var kept = _values + first;
        for (var i = 0; i < chosen.Length; i++)
        {
            kept[i] = copy[chosen[i]];
        }
    }

    /// <summary>a = β·e + Δ over chunks that lie side by side, written to its place and for each chunk to a copy without gaps. Row by row over all of them: a row of one
    /// chunk is a few cache lines only, a page apart from the next, and no processor reads ahead over that.</summary>
    private void Accumulate(int chunk, int count, float* copies)
    {
        var (first, last) = (_grid.ShapeOf(chunk), _grid.ShapeOf(chunk + count - 1));
        var origin = (long)_grid.OriginOf(chunk);
        for (var row = 0; row < first.Rows; row++, origin += _grid.Spec.Cols)
        {
            var at = origin;
            var copy = copies;
            for (var i = 0; i < count; i++, at += first.Cols, copy += TopK.ChunkMax)
            {
                var cols = i < count - 1 ? first.Cols : last.Cols;
                AccumulateRow(_error + at, _delta + at, _accumulated + at, copy + (row * cols), cols, _decay);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AccumulateRow(float* error, float* delta, float* accumulated, float* copy, int count, float decay)
    {
        var i = 0;
        if (Avx512F.IsSupported)
        {
            var beta = Vector512.Create(decay);
            for (; i + 16 <= count; i += 16)
            {
                var sum = Vector512.FusedMultiplyAdd(beta, Vector512.Load(error + i), Vector512.Load(delta + i));
                sum.Store(accumulated + i);
                sum.Store(copy + i);
            }
        }

        var beta8 = Vector256.Create(decay);
        for (; i + 8 <= count; i += 8)
        {
            var sum = Vector256.FusedMultiplyAdd(beta8, Vector256.Load(error + i), Vector256.Load(delta + i));
            sum.Store(accumulated + i);
            sum.Store(copy + i);
        }

        for (; i < count; i++)
        {
            copy[i] = accumulated[i] = MathF.FusedMultiplyAdd(decay, error[i], delta[i]);
        }
    }
}
