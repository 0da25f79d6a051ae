using Cairn.Base;

namespace Cairn.Data;

/// <summary>The digest over the numbers of the samples that were trained on, in order.</summary>
public static class SampleReceipt
{
    /// <summary>The receipt of a list.</summary>
    /// <param name="samples">In the order of training; other order, other receipt.</param>
    /// <returns>SHA-256 (tag "cairn/receipt") over the count and each number in 8 little-endian bytes.</returns>
    public static Digest Of(ReadOnlySpan<long> samples)
    {
        using var hasher = new Hasher("cairn/receipt");
        hasher.Append(samples.Length);
        foreach (var sample in samples)
        {
            hasher.Append(sample);
        }

        return hasher.Finish();
    }
}
