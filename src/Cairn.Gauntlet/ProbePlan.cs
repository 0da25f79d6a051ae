using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Which updates of a round are probed: drawn by the round's beacon, so that no peer knows before its commit is final, and every validator
/// knows the same.</summary>
public static class ProbePlan
{
    private const int RoundsMax = 1_000_000;

    /// <summary>Draws without replacement, each candidate with a weight of the rounds since its last probe (a peer never probed: since the run
    /// began, and one).</summary>
    /// <param name="book">What is remembered of the peers.</param>
    /// <param name="round">The round.</param>
    /// <param name="beacon">The round's randomness.</param>
    /// <param name="candidates">Peers whose updates passed the fast checks, ascending.</param>
    /// <param name="count">How many are wanted; all candidates if there are fewer.</param>
    /// <param name="onTrial">Those that are admitted only with a probe (<see cref="Admission.NeedsProbe"/>): drawn before all others.</param>
    /// <returns>The chosen, ascending.</returns>
    /// <remarks>Integers only. Covenant-72B weighs likewise, with a generator that each validator seeds for itself.</remarks>
    public static IReadOnlyList<Uid> Choose(
        PeerBook book, Round round, Digest beacon, IReadOnlyList<Uid> candidates, int count, IReadOnlySet<Uid>? onTrial = null)
    {
        Invariant.Check(count >= 0);
        for (var i = 1; i < candidates.Count; i++)
        {
            Invariant.Check(candidates[i] > candidates[i - 1]);
        }

        var random = new SeededRandom(Digest.Of("cairn/probe", beacon.ToArray()));
        var chosen = new List<Uid>(Math.Min(count, candidates.Count));
        Draw(ref random, book, round, [.. candidates.Where(uid => onTrial?.Contains(uid) == true)], count, chosen);
        Draw(ref random, book, round, [.. candidates.Where(uid => onTrial?.Contains(uid) != true)], count, chosen);
        chosen.Sort();
        return chosen;
    }

    private static void Draw(ref SeededRandom random, PeerBook book, Round round, Uid[] pool, int count, List<Uid> chosen)
    {
        var urgency = new ulong[pool.Length];
        var total = 0UL;
        for (var i = 0; i < pool.Length; i++)
        {
            urgency[i] = (ulong)Math.Clamp(round.Number - (book.Find(pool[i])?.LastProbe ?? -1), 1, RoundsMax);
            total += urgency[i];
        }

        while (chosen.Count < count && total > 0)
        {
            var ticket = random.NextBelow(total);
            var i = 0;
            for (; ticket >= urgency[i]; i++)
            {
                ticket -= urgency[i];
            }

            chosen.Add(pool[i]);
            total -= urgency[i];
            urgency[i] = 0;
        }
    }
}
