using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>Error feedback, top-k and quantiser of one peer: from its pseudo-gradient Δ and its error buffer e to what it sends.</summary>
/// <remarks>SparseLoCo (arXiv:2508.15706) Alg. 1 as run for Covenant-72B: a = β·e + Δ (one fused multiply-add per element), Δ̂ = Q(TopK(a)), e ← a
/// − Δ̂. The last step waits in <see cref="Aggregator.Settle"/> until the round says what of Δ̂ was applied. One pass over e and Δ (12 bytes moved per
/// element), then three over the kept values. Tier T2: same inputs, same bits. Not for two threads at once.</remarks>
public sealed class SparseEncoder
{
    /// <summary>β of the published run.</summary>
    public const float PublishedDecay = 0.95f;

    private readonly float _decay;
    private readonly IQuantizer _quantizer;
    private readonly WorkPool? _pool;
    private float[] _values = [];

    /// <summary>Creates an encoder.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="quantizer">How values become codes.</param>
    /// <param name="decay">β: what of the error buffer is kept, 0 to 1.</param>
    /// <param name="pool">Threads that share the work, or null for the caller alone; the bits are the same. Not disposed here.</param>
    public SparseEncoder(ChunkGrid grid, QuantizerKind quantizer, float decay = PublishedDecay, WorkPool? pool = null)
    {
        Invariant.Check(decay is >= 0 and <= 1);
        (Grid, _quantizer, _decay, _pool) = (grid, Quantizers.Of(quantizer), decay, pool);
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
    /// <param name="why"><see cref="Rejection.NotFinite"/> if a holds a NaN or an infinity, or a scale outside the book's range: this peer's
    /// training diverged. It sends nothing, and goes back to its state at round start; <paramref name="accumulated"/> is of no use.</param>
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
        var codes = GC.AllocateUninitializedArray<byte>(grid.ValueCount);
        var scales = new byte[_quantizer.HasScales ? grid.ChunkCount : 0];
        if (!Choose(grid, error, delta, accumulated, indices, values) || _quantizer.TryQuantize(grid, values, codes, scales) is not { } book)
        {
            return false;
        }

        why = Rejection.None;
        sent = new SparseTensor(grid, indices, codes, scales, book);
        return true;
    }

    /// <summary>Writes a, and the places and values of its kept elements. False if a is not finite.</summary>
    private unsafe bool Choose(
        TensorGrid grid, ReadOnlySpan<float> error, ReadOnlySpan<float> delta, Span<float> accumulated, Span<ushort> indices, Span<float> values)
    {
        fixed (float* e = error, d = delta, a = accumulated, v = values)
        {
            fixed (ushort* i = indices)
            {
                var diverged = 0;
                var bands = new ChunkChoice(grid, _decay, e, d, a, i, v, &diverged);
                if (_pool is null)
                {
                    for (var item = 0; item < bands.Count; item++)
                    {
                        bands.Run(item, 0);
                    }
                }
                else
                {
                    _pool.Run(ref bands, bands.Count);
                }

                return diverged == 0;
            }
        }
    }
}
