using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>How many opinions become one, in integers.</summary>
internal static class Consensus
{
    /// <summary>The bond-weighted lower median: the least value that, with all below it, has at least half of the bond. No minority can
    /// move it past what the rest said.</summary>
    /// <param name="opinions">At least one, with positive bonds; put in order here.</param>
    public static long LowerMedian(List<(long Value, long Bond)> opinions)
    {
        Invariant.Check(opinions.Count > 0);
        opinions.Sort(static (left, right) => left.Value.CompareTo(right.Value));
        var total = 0L;
        foreach (var (_, bond) in opinions)
        {
            total += bond;
        }

        var below = 0L;
        foreach (var (value, bond) in opinions)
        {
            below += bond;
            if (2 * below >= total)
            {
                return value;
            }
        }

        return opinions[^1].Value;
    }

    /// <summary>Divides a whole in proportion to parts so that nothing is lost: floors first, then one each to the largest remainders, ties
    /// to the lower index.</summary>
    /// <param name="whole">0 or more.</param>
    /// <param name="parts">0 or more each; their sum is positive.</param>
    /// <returns>As many numbers, with the sum <paramref name="whole"/>.</returns>
    public static long[] Divide(long whole, ReadOnlySpan<long> parts)
    {
        Int128 sum = 0;
        foreach (var part in parts)
        {
            sum += part;
        }

        Invariant.Check(sum > 0);
        var result = new long[parts.Length];
        var remainders = new (Int128 Remainder, int Index)[parts.Length];
        var rest = whole;
        for (var i = 0; i < parts.Length; i++)
        {
            var (quotient, remainder) = Int128.DivRem((Int128)whole * parts[i], sum);
            result[i] = (long)quotient;
            rest -= result[i];
            remainders[i] = (remainder, i);
        }

        Array.Sort(remainders, static (left, right) =>
            left.Remainder != right.Remainder ? right.Remainder.CompareTo(left.Remainder) : left.Index.CompareTo(right.Index));
        for (var i = 0; i < rest; i++)
        {
            result[remainders[i].Index]++;
        }

        return result;
    }

    /// <summary>Scales what newcomers contribute down so that together they have at most a fixed part of the whole, while anybody else is
    /// there.</summary>
    /// <param name="amounts">Accepted samples; changed in place. Where the limit bites, all are counted in thousandths, so that a small
    /// amount is not rounded away.</param>
    /// <param name="newcomers">Which of them are newcomers'.</param>
    /// <param name="shareMax">The part, in billionths.</param>
    public static void CapNewcomers(Span<long> amounts, ReadOnlySpan<bool> newcomers, long shareMax)
    {
        const int Finer = 1000;
        Int128 ofNewcomers = 0, ofOthers = 0;
        for (var i = 0; i < amounts.Length; i++)
        {
            ofNewcomers += newcomers[i] ? amounts[i] : 0;
            ofOthers += newcomers[i] ? 0 : amounts[i];
        }

        if (ofOthers == 0 || ofNewcomers * Shares.One <= shareMax * (ofNewcomers + ofOthers))
        {
            return;
        }

        // n ≤ p(n + e)  ⇔  n ≤ e·p / (1 − p); p < 1 here, or the line above had returned.
        var allowed = Finer * ofOthers * shareMax / (Shares.One - shareMax);
        for (var i = 0; i < amounts.Length; i++)
        {
            amounts[i] = newcomers[i] ? (long)(amounts[i] * allowed / ofNewcomers) : amounts[i] * Finer;
        }
    }
}
