using Cairn.Base;

namespace Cairn.Data;

/// <summary>The samples on which validators measure updates, drawn with the beacon of the round: nobody knows them before commits are closed, and all
/// validators draw the same.</summary>
public static class ProbeSamples
{
    /// <summary>Draws from the samples that were issued to one peer.</summary>
    /// <param name="beacon">Of the round.</param>
    /// <param name="uid">The peer: each peer's draw is its own.</param>
    /// <param name="issued">What it was to train on; distinct.</param>
    /// <param name="count">How many to draw, 0 or more.</param>
    /// <returns>Distinct samples in the order drawn; all of them if there are no more than <paramref name="count"/>.</returns>
    public static long[] OfPeer(Digest beacon, Uid uid, ReadOnlySpan<long> issued, int count)
    {
        using var hasher = new Hasher("cairn/probe/issued");
        hasher.Append(beacon);
        hasher.Append(uid.Value);
        return Draw(new SeededRandom(hasher.Finish()), issued.ToArray(), count);
    }

    /// <summary>Draws from all samples that were issued to nobody in this round.</summary>
    /// <param name="beacon">Of the round.</param>
    /// <param name="sampleCount">How many samples there are; numbers 0 to it − 1.</param>
    /// <param name="issued">Every sample issued in this round, to whomever; numbers outside the range count for nothing.</param>
    /// <param name="count">How many to draw, 0 or more.</param>
    /// <returns>Distinct samples in the order drawn; all that were not issued if there are no more than <paramref name="count"/>.</returns>
    /// <remarks>Cost: about as many steps as samples drawn; only where nearly all samples are issued, one per sample.</remarks>
    public static long[] NotIssued(Digest beacon, long sampleCount, IReadOnlySet<long> issued, int count)
    {
        Invariant.Check(sampleCount >= 0 && count >= 0);
        using var hasher = new Hasher("cairn/probe/not-issued");
        hasher.Append(beacon);
        var random = new SeededRandom(hasher.Finish());
        var free = sampleCount - issued.LongCount(sample => sample >= 0 && sample < sampleCount);

        // Rejection needs about sampleCount/free tries for each; where free samples are rare they are listed instead.
        return free >= 2L * count && free >= sampleCount / 8
            ? Reject(random, sampleCount, issued, count)
            : Draw(random, ListFree(sampleCount, issued, free), count);
    }

    private static long[] Reject(SeededRandom random, long sampleCount, IReadOnlySet<long> issued, int count)
    {
        var drawn = new HashSet<long>(count);
        var samples = new long[count];
        while (drawn.Count < count)
        {
            var sample = (long)random.NextBelow((ulong)sampleCount);
            if (!issued.Contains(sample) && drawn.Add(sample))
            {
                samples[drawn.Count - 1] = sample;
            }
        }

        return samples;
    }

    private static long[] ListFree(long sampleCount, IReadOnlySet<long> issued, long free)
    {
        var samples = new List<long>((int)Math.Min(free, 1 << 20));
        for (var sample = 0L; sample < sampleCount; sample++)
        {
            if (!issued.Contains(sample))
            {
                samples.Add(sample);
            }
        }

        return [.. samples];
    }

    // The first places of a Fisher–Yates shuffle.
    private static long[] Draw(SeededRandom random, long[] samples, int count)
    {
        Invariant.Check(count >= 0);
        var drawn = Math.Min(count, samples.Length);
        for (var i = 0; i < drawn; i++)
        {
            var other = i + random.NextBelow(samples.Length - i);
            (samples[i], samples[other]) = (samples[other], samples[i]);
        }

        return samples[..drawn];
    }
}
