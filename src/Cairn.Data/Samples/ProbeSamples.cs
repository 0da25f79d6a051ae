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

    /// <summary>Draws from those samples of a part that were issued to nobody in this round.</summary>
    /// <param name="beacon">Of the round.</param>
    /// <param name="first">The first sample of the part that the round trains on, so that what was assigned and what was not are of one kind; 0 or more.</param>
    /// <param name="sampleCount">How many samples there are; numbers <paramref name="first"/> to <paramref name="first"/> + it − 1.</param>
    /// <param name="issued">Every sample issued in this round, to whomever; numbers outside the range count for nothing.</param>
    /// <param name="count">How many to draw, 0 or more.</param>
    /// <returns>Distinct samples in the order drawn; all that were not issued if there are no more than <paramref name="count"/>.</returns>
    /// <remarks>Cost: about as many steps as samples drawn; only where nearly all samples are issued, one per sample.</remarks>
    public static long[] NotIssued(Digest beacon, long first, long sampleCount, IReadOnlySet<long> issued, int count)
    {
        Invariant.Check(first >= 0 && sampleCount >= 0 && count >= 0);
        using var hasher = new Hasher("cairn/probe/not-issued");
        hasher.Append(beacon);
        var random = new SeededRandom(hasher.Finish());
        var free = sampleCount - issued.LongCount(sample => sample >= first && sample - first < sampleCount);

        // Rejection needs about sampleCount/free tries for each; where free samples are rare they are listed instead.
        return free >= 2L * count && free >= sampleCount / 8
            ? Reject(random, first, sampleCount, issued, count)
            : Draw(random, ListFree(first, sampleCount, issued, free), count);
    }

    private static long[] Reject(SeededRandom random, long first, long sampleCount, IReadOnlySet<long> issued, int count)
    {
        var drawn = new HashSet<long>(count);
        var samples = new long[count];
        while (drawn.Count < count)
        {
            var sample = first + (long)random.NextBelow((ulong)sampleCount);
            if (!issued.Contains(sample) && drawn.Add(sample))
            {
                samples[drawn.Count - 1] = sample;
            }
        }

        return samples;
    }

    private static long[] ListFree(long first, long sampleCount, IReadOnlySet<long> issued, long free)
    {
        var samples = new List<long>((int)Math.Min(free, 1 << 20));
        for (var sample = first; sample < first + sampleCount; sample++)
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
