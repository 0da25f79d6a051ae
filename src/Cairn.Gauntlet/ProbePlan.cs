using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Which updates of a round are probed: drawn by the round's beacon, each with the same chance, so that no peer can know it, or anything of it, before its
/// commit is final, and every validator knows the same.</summary>
/// <remarks>Covenant-72B draws with a weight of the rounds since the last probe, by a generator that each validator seeds for itself. The time since the last
/// probe is public, so whoever was just probed can rest: of 16 peers with 4 probes a round one that works in 53 % of the rounds was paid 76 %. And half of the
/// probes stay with those that need none to be admitted: otherwise a few keys without bond, on trial for ever, draw all probes to themselves.</remarks>
public static class ProbePlan
{
    /// <summary>Draws without replacement.</summary>
    /// <param name="beacon">The round's randomness.</param>
    /// <param name="candidates">Peers whose updates passed the fast checks, ascending.</param>
    /// <param name="count">How many are wanted; all candidates if there are fewer.</param>
    /// <param name="onTrial">Those that are admitted only with a probe (<see cref="Admission.NeedsProbe"/>): drawn first, into half of the probes at least, and
    /// into those that the others leave.</param>
    /// <returns>The chosen, ascending.</returns>
    public static IReadOnlyList<Uid> Choose(Digest beacon, IReadOnlyList<Uid> candidates, int count, IReadOnlySet<Uid>? onTrial = null)
    {
        Invariant.Check(count >= 0);
        for (var i = 1; i < candidates.Count; i++)
        {
            Invariant.Check(candidates[i] > candidates[i - 1]);
        }

        var random = new SeededRandom(Digest.Of("cairn/probe", beacon.ToArray()));
        Uid[] trial = [.. candidates.Where(uid => onTrial?.Contains(uid) == true)];
        Uid[] others = [.. candidates.Where(uid => onTrial?.Contains(uid) != true)];
        var trialCount = Math.Min(trial.Length, count - Math.Min(others.Length, count / 2));
        List<Uid> chosen = [.. Draw(ref random, trial, trialCount), .. Draw(ref random, others, count - trialCount)];
        chosen.Sort();
        return chosen;
    }

    private static ReadOnlySpan<Uid> Draw(ref SeededRandom random, Uid[] pool, int count)
    {
        count = Math.Min(count, pool.Length);
        for (var i = 0; i < count; i++)
        {
            var drawn = i + (int)random.NextBelow((ulong)(pool.Length - i));
            (pool[i], pool[drawn]) = (pool[drawn], pool[i]);
        }

        return pool.AsSpan(0, count);
    }
}
