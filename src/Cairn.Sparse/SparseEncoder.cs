using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Error feedback, top-k and quantiser of one peer: from its pseudo-gradient Δ and its error buffer e to what it sends.</summary>
/// <remarks>SparseLoCo (arXiv:2508.15706) Alg. 1 as run for Covenant-72B: a = β·e + Δ (one fused multiply-add per element), Δ̂ = Q(TopK(a)), e ← a − Δ̂.
/// The last step waits in <see cref="ErrorFeedback"/> until the round says what of Δ̂ was applied.
/// One pass over e and Δ (12 bytes moved per element), then three over the kept values. Tier T2: same inputs, same bits. Not for two threads at once.</remarks>
public sealed class SparseEncoder
{
    /// <summary>β of the published run.</summary>
    public const float PublishedDecay = 0.95f;

    private readonly float _decay;
    private float[] _values = [];

    /// <summary>Creates an encoder.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="decay">β: what of the error buffer is kept, 0 to 1.</param>
    public SparseEncoder(ChunkGrid grid, float decay = PublishedDecay)
    {
        Invariant.Check(decay is >= 0 and <= 1);
        (Grid, _decay) = (grid, decay);
    }

    /// <summary>How the model is cut.</summary>
    public ChunkGrid Grid { get; }

    /// <summary>Encodes all tensors that lie in one flat run.</summary>
    /// <param name="rules">Digest of the rules of the run.</param>
    /// <param name="round">The round.</param>
    /// <param name="uid">Whose update it is.</param>
    /// <param name="error">e, in the grid's flat layout: at least Grid.FlatLength.</param>
    /// <param name="delta">Δ = base − local parameters, likewise.</param>
    /// <param name="accumulated">Receives a, likewise. May be <paramref name="error"/> itself (in place), or <paramref name="delta"/> itself: e then
    /// stays whole until the round has decided, and going back costs nothing.</param>
    /// <param name="update">The update, or null.</param>
    /// <param name="why"><see cref="Rejection.NotFinite"/> if a holds a NaN or an infinity, or a scale outside the codebook's range: this peer's training diverged. It sends nothing,
    /// and goes back to its state at round start; <paramref name="accumulated"/> is of no use.</param>
    /// <returns>True if there is an update to send.</returns>
    public bool TryEncode(
        Digest rules, Round round, Uid uid, ReadOnlySpan<float> error, ReadOnlySpan<float> delta, Span<float> accumulated,
        out SparseUpdate? update, out Rejection why)
    {
        update = null;
        var tensors = new SparseTensor[Grid.TensorCount];
        for (var i = 0; i < tensors.Length; i++)
        {
            if (!TryEncodeTensor(i, Grid.Slice(error, i), Grid.Slice(delta, i), Grid.Slice(accumulated, i), out var tensor, out why))
            {
                return false;
            }

            tensors[i] = tensor!;
        }

        why = Rejection.None;
        update = new SparseUpdate(Grid, rules, round, uid, tensors);
        return true;
    }

    /// <summary>Encodes one tensor, so that only one need be in memory at a time.</summary>
    /// <param name="tensor">Which: 0 to Grid.TensorCount − 1.</param>
    /// <param name="error">e of this tensor: exactly its length, as the next two.</param>
    /// <param name="delta">Δ of this tensor.</param>
    /// <param name="accumulated">Receives a; may be <paramref name="error"/> or <paramref name="delta"/>.</param>
    /// <param name="sent">What is sent, or null.</param>
    /// <param name="why">NotFinite or None, as in <see cref="TryEncode"/>.</param>
    /// <returns>True if there is something to send.</returns>
    public bool TryEncodeTensor(
        int tensor, ReadOnlySpan<float> error, ReadOnlySpan<float> delta, Span<float> accumulated, out SparseTensor? sent, out Rejection why)
    {
        var grid = Grid[tensor];
        Invariant.Check(error.Length == grid.Spec.Length && delta.Length == error.Length && accumulated.Length == error.Length);
        if (_values.Length < grid.ValueCount)
        {
            _values = GC.AllocateUninitializedArray<float>(grid.ValueCount);
        }

        sent = null;
        why = Rejection.NotFinite;
        var values = _values.AsSpan(0, grid.ValueCount);
        var indices = GC.AllocateUninitializedArray<ushort>(grid.ValueCount);
        var codes = GC.AllocateUninitializedArray<byte>(Packing.CodeBytes(grid.ValueCount));
        if (!Choose(grid, error, delta, accumulated, indices, values) || !Quantizer.TryQuantize(values, codes, out var codebook))
        {
            return false;
        }

        why = Rejection.None;
        sent = new SparseTensor(grid, indices, codes, codebook);
        return true;
    }

    /// <summary>Writes a, and the places and values of its kept elements. False if a is not finite.</summary>
    [SkipLocalsInit]
    private unsafe bool Choose(
        TensorGrid grid, ReadOnlySpan<float> error, ReadOnlySpan<float> delta, Span<float> accumulated, Span<ushort> indices, Span<float> values)
    {
        var buffer = stackalloc float[TopK.ChunkMax + 16];
        var chunk = (float*)(((nuint)buffer + 63) & ~(nuint)63);
        fixed (float* e = error, d = delta, a = accumulated)
        {
            for (var c = 0; c < grid.ChunkCount; c++)
            {
                var (length, origin) = (grid.LengthOf(c), grid.OriginOf(c));
                var cols = length / grid.BlockRows;
                for (var row = 0; row < grid.BlockRows; row++)
                {
                    var at = origin + ((long)row * grid.Spec.Cols);
                    AccumulateRow(e + at, d + at, a + at, chunk + (row * cols), cols, _decay);
                }

                var padded = (length + TopK.Groups - 1) / TopK.Groups * TopK.Groups;
                new Span<float>(chunk + length, padded - length).Clear();
                var chosen = indices.Slice(grid.FirstValueOf(c), grid.KeepOf(c));
                if (!TopK.SelectPadded(chunk, padded, chosen))
                {
                    return false;
                }

                var kept = values.Slice(grid.FirstValueOf(c), chosen.Length);
                for (var i = 0; i < chosen.Length; i++)
                {
                    kept[i] = chunk[chosen[i]];
                }
            }
        }

        return true;
    }

    /// <summary>a = β·e + Δ over one row of a chunk, written to its place and to the chunk's copy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void AccumulateRow(float* error, float* delta, float* accumulated, float* copy, int count, float decay)
    {
        var i = 0;
        if (Vector512.IsHardwareAccelerated)
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
