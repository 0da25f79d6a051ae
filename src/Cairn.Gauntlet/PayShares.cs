using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>One peer's claim to pay.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Samples">Accepted samples since the last settlement times the part of the work that was found, in sixteenths; 0 or more. Refused and copied
/// updates have none.</param>
/// <param name="Quality">4 to 16 sixteenths (<see cref="Gauntlet.Quality"/>).</param>
public readonly record struct PayClaim(Uid Uid, long Samples, int Quality);

/// <summary>One peer's part of the pay.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Share">In billionths.</param>
public readonly record struct PayShare(Uid Uid, long Share);

/// <summary>Divides the pay of a settlement: in proportion to accepted samples × work found × quality, in integers that sum to the whole.</summary>
public static class PayShares
{
    /// <summary>The whole: a billion parts.</summary>
    public const long One = 1_000_000_000;

    /// <summary>The claims that a book holds. While nothing is told of anybody there are none: nobody is known from anybody yet, and who does nothing would be paid like
    /// all others. As soon as something is told, what is untold of others counts as <see cref="WorkShare.Unknown"/>.</summary>
    /// <param name="book">What is remembered of the peers.</param>
    /// <param name="isLast">True in the last settlement of a run, which waits for nothing.</param>
    /// <returns>One per peer with something to be paid for since the last settlement, ascending.</returns>
    public static IReadOnlyList<PayClaim> Claims(PeerBook book, bool isLast) =>
        !isLast && !book.HasTold ? []
            : [.. book.Records.Select(record => new PayClaim(record.Uid, record.CreditSinceSettle + (record.Waiting * WorkShare.Unknown), Quality.Of(record)))
                .Where(claim => claim.Samples > 0)];

    /// <summary>Divides by largest remainder: each claim gets its exact part rounded down, and the billionths left over go one each to the largest
    /// remainders, of equal ones to the lower uid.</summary>
    /// <param name="claims">Ascending by uid.</param>
    /// <returns>One share per claim in the same order, summing to exactly <see cref="One"/>; empty if nobody has accepted samples.</returns>
    public static IReadOnlyList<PayShare> Divide(IReadOnlyList<PayClaim> claims)
    {
        var merit = new Int128[claims.Count];
        Int128 total = 0;
        for (var i = 0; i < merit.Length; i++)
        {
            Invariant.Check(i == 0 || claims[i].Uid > claims[i - 1].Uid);
            Invariant.Check(claims[i].Samples >= 0);
            Invariant.Check(claims[i].Quality is >= Quality.Least and <= Quality.One);
            merit[i] = (Int128)claims[i].Samples * claims[i].Quality;
            total += merit[i];
        }

        if (total == 0)
        {
            return [];
        }

        // Samples stay below 2^63 and quality below 2^5, so merit × 10^9 stays below 2^98.
        var shares = new long[merit.Length];
        var left = One;
        for (var i = 0; i < merit.Length; i++)
        {
            shares[i] = (long)(merit[i] * One / total);
            left -= shares[i];
        }

        var byRemainder = Enumerable.Range(0, merit.Length).OrderByDescending(i => merit[i] * One % total).ThenBy(i => claims[i].Uid);
        foreach (var i in byRemainder.Take((int)left))
        {
            shares[i]++;
        }

        return [.. claims.Select((claim, i) => new PayShare(claim.Uid, shares[i]))];
    }
}
