using Cairn.Sparse;

namespace Cairn.Node;

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
/// <param name="Feedback">What a round takes from the error buffer.</param>
/// <param name="OuterRate">α.</param>
/// <param name="ErrorDecay">β.</param>
internal sealed record SparseVariant(QuantizerKind Quantizer, Aggregation Aggregation, FeedbackRule Feedback, float OuterRate, float ErrorDecay)
{
    /// <summary>1: a round is trained from the base before the last, as with an apply delay (docs/flow.md, rule 10).</summary>
    internal int ApplyDelay { get; init; }

    /// <summary>With an apply delay: true to begin where the own update alone would bring that base, as a swarm does; false for the base itself.</summary>
    internal bool Leads { get; init; }
}
