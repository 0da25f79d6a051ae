using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>The first pass of <see cref="SparseEncoder"/> over one tensor, in bands of chunks: a = β·e + Δ, and the places and values of what is
/// kept.</summary>
internal readonly unsafe struct ChunkChoice : IWork
{
    private const int Band = 16;
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
        var buffer = stackalloc float[TopK.ChunkMax + 16];
        var copy = (float*)(((nuint)buffer + 63) & ~(nuint)63);
        for (var chunk = item * Band; chunk < Math.Min(_grid.ChunkCount, (item + 1) * Band); chunk++)
        {
            ChooseOf(chunk, copy);
        }
    }

    private void ChooseOf(int chunk, float* copy)
    {
        var (length, keep) = (_grid.LengthOf(chunk), _grid.KeepOf(chunk));
        Accumulate(chunk, length, copy);
        var padded = (length + TopK.Groups - 1) / TopK.Groups * TopK.Groups;
        new Span<float>(copy + length, padded - length).Clear();
        var chosen = new Span<ushort>(_indices + _grid.FirstValueOf(chunk), keep);
        if (!TopK.SelectPadded(copy, padded, chosen))
        {
            *_diverged = 1; // Workers may write it at once: all write the same.
            chosen.Clear();
        }

        var kept = _values + _grid.FirstValueOf(chunk);
        for (var i = 0; i < keep; i++)
        {
            kept[i] = copy[chosen[i]];
        }
    }

    /// <summary>a = β·e + Δ over one chunk, written to its place and to a copy without gaps.</summary>
    private void Accumulate(int chunk, int length, float* copy)
    {
        var cols = length / _grid.BlockRows;
        var at = (long)_grid.OriginOf(chunk);
        for (var row = 0; row < _grid.BlockRows; row++, at += _grid.Spec.Cols, copy += cols)
        {
            AccumulateRow(_error + at, _delta + at, _accumulated + at, copy, cols, _decay);
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
                // The next chunk's part of this row: a block touches 64 rows, more streams than the processor follows by itself.
                Sse.Prefetch0(error + i + count);
                Sse.Prefetch0(delta + i + count);
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
