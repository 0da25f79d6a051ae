using Cairn.Base;

namespace Cairn.Data;

/// <summary>The samples that the ledger issued to one peer for one round, cut into the batches of its inner steps. Pure: same list, same batches.</summary>
/// <remarks>The list is a piece of an epoch's order, SeededPermutation(seed, "epoch", number of the epoch) over all samples, cut by the ledger at one cursor, samples
/// to issue again first. So nobody chooses what to train on, and no two peers of a round share a sample.</remarks>
public sealed class BatchAssignment
{
    private readonly long[] _samples;

    /// <summary>Takes the list of the ledger.</summary>
    /// <param name="samples">H · B sample numbers in the order of issue: the first B are the batch of inner step 0.</param>
    /// <param name="batchSize">B, samples per inner step, at least 1; it divides the list.</param>
    public BatchAssignment(ReadOnlySpan<long> samples, int batchSize)
    {
        Invariant.Check(batchSize > 0 && samples.Length > 0);
        Invariant.Check(samples.Length % batchSize == 0);
        _samples = samples.ToArray();
        BatchSize = batchSize;
        Receipt = SampleReceipt.Of(_samples);
    }

    /// <summary>Samples per inner step, B.</summary>
    public int BatchSize { get; }

    /// <summary>H.</summary>
    public int InnerSteps => _samples.Length / BatchSize;

    /// <summary>All samples in order.</summary>
    public ReadOnlySpan<long> Samples => _samples;

    /// <summary>What a peer that trained on all of them in order commits to.</summary>
    public Digest Receipt { get; }

    /// <summary>The batch of an inner step.</summary>
    /// <param name="innerStep">0 to <see cref="InnerSteps"/> − 1.</param>
    public ReadOnlySpan<long> Batch(int innerStep)
    {
        Invariant.Check((uint)innerStep < (uint)InnerSteps);
        return _samples.AsSpan(innerStep * BatchSize, BatchSize);
    }
}
