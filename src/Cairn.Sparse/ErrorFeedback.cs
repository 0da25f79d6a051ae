using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>What a round leaves in a peer's error buffer. The round is a transaction: an update in the manifest settles, any other is taken
/// back.</summary>
/// <remarks>To settle: e = a − factor · Δ̂, in place in the buffer that holds a; elements that were not sent keep their bits. To go back: if a was
/// written into the delta's buffer, drop it, for e was never touched; if it was written over e, read e of the round's start from the durable
/// copy.</remarks>
public static class ErrorFeedback
{
    /// <summary>Settles all tensors of a flat run.</summary>
    /// <param name="sent">The update that was in the manifest.</param>
    /// <param name="factors">What the aggregator multiplied each tensor by (<see cref="ClipFactors.Of"/>): one number per tensor, 1 where nothing
    /// was clipped.</param>
    /// <param name="accumulated">a, in the grid's flat layout; becomes the new e.</param>
    public static void Settle(SparseUpdate sent, ReadOnlySpan<float> factors, Span<float> accumulated)
    {
        Invariant.Check(factors.Length == sent.Grid.TensorCount);
        for (var i = 0; i < factors.Length; i++)
        {
            SettleTensor(sent[i], factors[i], sent.Grid.Slice(accumulated, i));
        }
    }

    /// <summary>Settles one tensor.</summary>
    /// <param name="sent">What was sent of it.</param>
    /// <param name="factor">What the aggregator multiplied it by: 0 to 1.</param>
    /// <param name="accumulated">a of this tensor: exactly its length; becomes the new e.</param>
    public static void SettleTensor(SparseTensor sent, float factor, Span<float> accumulated)
    {
        Invariant.Check(factor is >= 0 and <= 1);
        sent.SubtractFrom(factor, accumulated);
    }
}
