using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How the updates of one round become one step. What f liars of R can do by each is in docs/aggregation.md.</summary>
public enum AggregationRule
{
    /// <summary>Σ wᵢ·Δ̂ᵢ / Σ wᵢ over all updates of the round, w their accepted samples: a coordinate that one peer of R sent moves by its part alone
    /// (SparseLoCo, arXiv:2508.15706, outer step).</summary>
    Mean = 0,

    /// <summary>Each coordinate is the plain mean over those updates that sent it, samples not counted: what Covenant-72B ran. One peer alone can
    /// move a coordinate at full size.</summary>
    MeanOfSelectors = 1,

    /// <summary><see cref="Mean"/> where more than f updates sent a coordinate, nothing elsewhere: f liars alone move nothing.</summary>
    Support = 2,

    /// <summary>Of the R values of a coordinate, those that did not send it being zeros, the f largest and the f smallest are left out, and the
    /// others averaged, samples not counted (Yin et al. 2018, arXiv:1803.01498). In a round of 2f or fewer, f is as large as leaves
    /// one of an odd R and two of an even one.</summary>
    TrimmedMean = 3,

    /// <summary><see cref="Mean"/> of the values, each first held within ±m, and 0 where the sum goes against the majority of signs or they are even; m is the lower
    /// median over the R updates of the mean size of what they sent of the chunk (votes of signs: Bernstein et al. 2018, arXiv:1810.05291).</summary>
    SignVote = 4,
}

/// <summary>An aggregation rule with its numbers. A rule of the run.</summary>
/// <param name="Rule">Which.</param>
/// <param name="Clip">True to clip each tensor of each update to the median norm first (<see cref="MedianNormClip"/>).</param>
/// <param name="Tolerated">f of <see cref="AggregationRule.Support"/> and <see cref="AggregationRule.TrimmedMean"/>.</param>
public readonly record struct Aggregation(AggregationRule Rule, bool Clip = false, int Tolerated = 0)
{
    /// <summary>Whether the rule may leave a coordinate where it was although somebody sent it: then that remains in the sender's error feedback.</summary>
    public bool LeavesOut => Rule is AggregationRule.Support or AggregationRule.TrimmedMean or AggregationRule.SignVote;
}

/// <summary>One update of the manifest and what it weighs.</summary>
/// <param name="Update">The update.</param>
/// <param name="Samples">Its accepted samples; at least 1.</param>
public readonly record struct Contribution(ISparseUpdate Update, long Samples);

/// <summary>Takes one tensor's mean and steps the parameters with it. The spans are used again for the next tensor.</summary>
/// <param name="tensor">0 to TensorCount − 1.</param>
/// <param name="mean">The dense mean in units of parameters, not yet scaled by the outer learning rate.</param>
/// <param name="factors">What each update was multiplied by in this tensor: 1 where it was not clipped.</param>
public delegate void TensorStep(int tensor, ReadOnlySpan<float> mean, ReadOnlySpan<float> factors);
