using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>Turns the updates of a manifest into one dense mean, tensor by tensor. Tier T2: same inputs, same bits, on every machine.</summary>
/// <remarks>Per chunk the updates are added in ascending uid order into 4096 numbers that stay in the first-level cache; the finished chunk is
/// written once. All in fp32, in this order: value = factor · decoded value; Mean: sum += share · value, share = samples/Σ samples from double,
/// so that a round of one is applied exactly as sent; MeanOfSelectors: sum += value, then sum/count; the others as <see cref="ChunkSums"/> says. Coordinates that
/// nobody sent are +0. Extra memory: the longest tensor, once.</remarks>
public sealed unsafe class Aggregator : IDisposable
{
    private FloatBuffer? _mean;
    private readonly ChunkScratch[] _scratch;
    private readonly WorkPool? _pool;

    /// <summary>Creates an aggregator; memory for the longest tensor is taken when there is something to combine.</summary>
    /// <param name="grid">How the model is cut.</param>
    /// <param name="aggregation">How updates are combined.</param>
    /// <param name="pool">Threads that share the work, or null for the caller alone; the bits are the same. Not disposed here.</param>
    public Aggregator(ChunkGrid grid, Aggregation aggregation, WorkPool? pool = null)
    {
        Invariant.Check(Enum.IsDefined(aggregation.Rule) && aggregation.Tolerated >= 0);
        (Grid, Aggregation, _pool) = (grid, aggregation, pool);
        _scratch = new ChunkScratch[pool?.Threads ?? 1];
        for (var i = 0; i < _scratch.Length; i++)
        {
            _scratch[i] = new ChunkScratch();
        }
    }

    /// <summary>How the model is cut.</summary>
    public ChunkGrid Grid { get; }

    /// <summary>How updates are combined.</summary>
    public Aggregation Aggregation { get; }

    /// <summary>Aggregates one tensor after another and hands each to the outer step.</summary>
    /// <param name="contributions">The manifest in strictly ascending uid order; at least one; all of this grid and of one round.</param>
    /// <param name="step">Takes each tensor's mean.</param>
    public void Aggregate(IReadOnlyList<Contribution> contributions, TensorStep step)
    {
        Check(contributions);
        _mean ??= new FloatBuffer(Grid.LongestTensor);
        var factors = new float[contributions.Count];
        for (var tensor = 0; tensor < Grid.TensorCount; tensor++)
        {
            var mean = _mean.Slice(0, Grid[tensor].Spec.Length);
            fixed (float* target = mean)
            {
                AggregateTensor(contributions, tensor, target, factors);
            }

            step(tensor, mean, factors);
        }
    }

    /// <summary>What a round leaves of one tensor in the error feedback of a peer whose update it took: rule 1 of the round.</summary>
    /// <param name="sent">What the peer sent of it.</param>
    /// <param name="factor">What it was multiplied by.</param>
    /// <param name="mean">The tensor's mean.</param>
    /// <param name="accumulated">a of this tensor; becomes the new e. Where the rule left the parameter as it was, a stays whole.</param>
    public void Settle(SparseTensor sent, float factor, ReadOnlySpan<float> mean, Span<float> accumulated)
    {
        Invariant.Check(factor is >= 0 and <= 1 && mean.Length == accumulated.Length);
        sent.SubtractFrom(factor, accumulated, Aggregation.LeavesOut ? mean : default);
    }

    /// <summary>Gives the memory for the longest tensor back until there is something to combine again: between two rounds others need it more.</summary>
    public void Rest()
    {
        _mean?.Dispose();
        _mean = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Rest();

    private void Check(IReadOnlyList<Contribution> contributions)
    {
        Invariant.Check(contributions.Count > 0);
        for (var i = 0; i < contributions.Count; i++)
        {
            Invariant.Check(ReferenceEquals(contributions[i].Update.Grid, Grid));
            Invariant.Check(contributions[i].Samples > 0);
            Invariant.Check(contributions[i].Update.Round == contributions[0].Update.Round);
            Invariant.Check(i == 0 || contributions[i].Update.Uid > contributions[i - 1].Update.Uid);
        }
    }

    // The clip factors, from counts and books: no dense memory is touched.
    private void FactorsOf(SparseTensor[] parts, Span<float> factors)
    {
        factors.Fill(1);
        if (Aggregation.Clip)
        {
            var norms = new double[parts.Length];
            for (var i = 0; i < norms.Length; i++)
            {
                norms[i] = parts[i].Norm;
            }

            MedianNormClip.Factors(norms, factors);
        }
    }

    private void AggregateTensor(IReadOnlyList<Contribution> contributions, int tensor, float* mean, Span<float> factors)
    {
        var parts = new SparseTensor[contributions.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = contributions[i].Update[tensor];
        }

        FactorsOf(parts, factors);
        var levels = new float[contributions.Count][];
        var shares = new float[contributions.Count];
        var samples = 0L;
        foreach (var contribution in contributions)
        {
            samples = checked(samples + contribution.Samples);
        }

        var weighs = Aggregation.Rule is AggregationRule.Mean or AggregationRule.Support or AggregationRule.SignVote;
        for (var i = 0; i < parts.Length; i++)
        {
            var share = shares[i] = weighs ? (float)((double)contributions[i].Samples / samples) : 1f;
            var table = parts[i].Book.Table;
            levels[i] = new float[table.Length];
            for (var code = 0; code < table.Length; code++)
            {
                levels[i][code] = share * (factors[i] * table[code]);
            }
        }

        var bands = new ChunkSums(Grid[tensor], parts, levels, factors.ToArray(), shares, Aggregation, _scratch, mean);
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
    }
}
