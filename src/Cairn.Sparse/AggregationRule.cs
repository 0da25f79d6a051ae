namespace Cairn.Sparse;

/// <summary>How the updates of one round become one step.</summary>
public enum AggregationRule
{
    /// <summary>Σ wᵢ·Δ̂ᵢ / Σ wᵢ over all updates of the round, w their accepted samples: a coordinate that one peer of R sent moves by its part alone
    /// (SparseLoCo, arXiv:2508.15706, outer step).</summary>
    Mean = 0,

    /// <summary>Each coordinate is the plain mean over those updates that sent it, samples not counted: what Covenant-72B ran. One peer alone can
    /// move a coordinate at full size.</summary>
    MeanOfSelectors = 1,
}

/// <summary>One update of the manifest and what it weighs.</summary>
/// <param name="Update">The update.</param>
/// <param name="Samples">Its accepted samples; at least 1.</param>
public readonly record struct Contribution(SparseUpdate Update, long Samples);

/// <summary>Takes one tensor's mean and steps the parameters with it. The span is used again for the next tensor.</summary>
/// <param name="tensor">0 to TensorCount − 1.</param>
/// <param name="mean">The dense mean in units of parameters, not yet scaled by the outer learning rate.</param>
public delegate void TensorStep(int tensor, ReadOnlySpan<float> mean);

/// <summary>What each update was multiplied by in each tensor: 1 where it was not clipped.</summary>
public sealed class ClipFactors
{
    private readonly float[] _factors;
    private readonly int _tensorCount;

    internal ClipFactors(int contributionCount, int tensorCount)
    {
        _tensorCount = tensorCount;
        _factors = new float[contributionCount * tensorCount];
    }

    /// <summary>The factors of one contribution, tensor by tensor: what <see cref="ErrorFeedback.Settle"/> takes.</summary>
    /// <param name="contribution">Its place in the list that was aggregated.</param>
    public ReadOnlySpan<float> Of(int contribution) => _factors.AsSpan(contribution * _tensorCount, _tensorCount);

    internal void Set(int contribution, int tensor, float factor) => _factors[(contribution * _tensorCount) + tensor] = factor;
}
