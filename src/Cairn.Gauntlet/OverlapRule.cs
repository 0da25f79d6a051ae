using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>How many sent places two updates share.</summary>
/// <param name="A">One peer.</param>
/// <param name="B">The other.</param>
/// <param name="Shared">Places that both sent; 0 to <paramref name="Total"/>.</param>
/// <param name="Total">Places that each sent; 0 if nothing could be compared.</param>
public readonly record struct PairOverlap(Uid A, Uid B, long Shared, long Total);

/// <summary>How grave a copy is, by the part of places shared.</summary>
public enum OverlapSeverity
{
    /// <summary>No more than the rule allows.</summary>
    None = 0,

    /// <summary>At or above the threshold.</summary>
    High = 1,

    /// <summary>At least half.</summary>
    Max = 2,

    /// <summary>At least six tenths.</summary>
    Mega = 3,
}

/// <summary>Who copied: of two updates that share too many places, the one committed later. The ledger orders the commits, so there are no ties;
/// integers alone decide.</summary>
/// <param name="ThresholdMillis">Thousandths of the places from which an update counts as copied; 1 to 1000. The published run used 400.</param>
/// <remarks>Covenant-72B, index overlap check. Deviations: order is that of this round's commits (there: the upload times of the round before), with those on trial
/// behind all others, the gravest pair counts (there: the last),
/// and a copy is refused outright whatever its severity, which is kept for the record.</remarks>
public sealed record OverlapRule(int ThresholdMillis = 400)
{
    /// <summary>The severity of a part.</summary>
    /// <param name="shared">Places that both sent.</param>
    /// <param name="total">Places that each sent.</param>
    public OverlapSeverity SeverityOf(long shared, long total)
    {
        Invariant.Check(ThresholdMillis is > 0 and <= 1000);
        Invariant.Check(shared >= 0 && shared <= total);
        return total == 0 || !Reaches(shared, total, ThresholdMillis) ? OverlapSeverity.None
            : Reaches(shared, total, 600) ? OverlapSeverity.Mega
            : Reaches(shared, total, 500) ? OverlapSeverity.Max
            : OverlapSeverity.High;
    }

    /// <summary>Finds the copies.</summary>
    /// <param name="pairs">Any pairs of the round, in any order.</param>
    /// <param name="commitOrder">All peers named in the pairs, in the order of their commits on the ledger, those on trial behind all others.</param>
    /// <returns>The copies, ascending by uid, each with its gravest severity: <see cref="Rejection.Copied"/> is their reason.</returns>
    public IReadOnlyList<(Uid Uid, OverlapSeverity Severity)> FindCopies(IReadOnlyList<PairOverlap> pairs, IReadOnlyList<Uid> commitOrder)
    {
        var place = new Dictionary<Uid, int>();
        for (var i = 0; i < commitOrder.Count; i++)
        {
            place.Add(commitOrder[i], i);
        }

        var copies = new SortedDictionary<Uid, OverlapSeverity>();
        foreach (var pair in pairs)
        {
            Invariant.Check(pair.A != pair.B);
            var severity = SeverityOf(pair.Shared, pair.Total);
            if (severity != OverlapSeverity.None)
            {
                var later = place[pair.A] > place[pair.B] ? pair.A : pair.B;
                copies[later] = copies.TryGetValue(later, out var known) && known > severity ? known : severity;
            }
        }

        return [.. copies.Select(copy => (copy.Key, copy.Value))];
    }

    private static bool Reaches(long shared, long total, int millis) => (Int128)shared * 1000 >= (Int128)total * millis;
}
