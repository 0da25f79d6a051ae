using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>Which quantiser a variant asks for; <see cref="SparseMethod"/> turns the wish into the encoder's own setting.</summary>
internal enum LabQuantizer
{
    /// <summary>What a swarm runs.</summary>
    Ours,

    /// <summary>The published run's.</summary>
    Published,
}

/// <summary>What a round takes from the error buffer. The two differ only where a norm was clipped.</summary>
internal enum FeedbackRule
{
    /// <summary>What was sent: the paper.</summary>
    Sent,

    /// <summary>What was applied, factor · decoded: rule 1 of the round (docs/flow.md).</summary>
    Applied,
}

/// <summary>One SparseLoCo.</summary>
/// <param name="Quantizer">How kept values become codes.</param>
/// <param name="Aggregation">How updates are combined.</param>
/// <param name="Clip">True to clip each tensor of each update to the median norm.</param>
/// <param name="Feedback">What a round takes from the error buffer.</param>
/// <param name="OuterRate">α.</param>
/// <param name="ErrorDecay">β.</param>
internal sealed record SparseVariant(LabQuantizer Quantizer, AggregationRule Aggregation, bool Clip, FeedbackRule Feedback, float OuterRate, float ErrorDecay);
