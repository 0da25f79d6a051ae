namespace Cairn.Sparse;

/// <summary>How large the kept values of a tensor are beside the scale of their chunk, in bins of 1/256; and where one level, or two, leave the least behind.</summary>
/// <remarks>In whole numbers, so that no order of summation can change what comes out. Values of more than 8 scales, as where one stands among zeros, have no bins: of
/// them all the sum is kept.</remarks>
internal sealed class SizeHistogram
{
    private const int BinsPerUnit = 256;
    private const int Bins = 8 * BinsPerUnit;
    private const int BeyondPerBin = 256;
    private readonly int[] _counts = new int[Bins + 1];
    private long _beyond;

    /// <summary>Counts the values of a chunk.</summary>
    /// <param name="values">Finite.</param>
    /// <param name="perScale">One over the scale of the chunk.</param>
    public void Count(ReadOnlySpan<float> values, float perScale)
    {
        foreach (var value in values)
        {
            var bin = Math.Abs(value) * (perScale * BinsPerUnit);
            if (bin < Bins)
            {
                _counts[(int)bin]++;
            }
            else
            {
                _counts[Bins]++;
                _beyond += (long)(bin * (2 * BeyondPerBin));
            }
        }
    }

    /// <summary>Two levels between which the border lies in the middle: the fixed point of Lloyd (1982), begun a little above the mean.</summary>
    /// <returns>In scales; High is 0 where one level does.</returns>
    public (double Low, double High) TwoLevels()
    {
        var (low, high) = (Mean(0, Bins + 1), 0.0);
        var border = (int)(low * BinsPerUnit * 1.05);
        for (var turn = 0; turn < 16; turn++)
        {
            border = Math.Clamp(border, 1, Bins);
            var (below, above) = (Mean(0, border), Mean(border, Bins + 1));
            if (below == 0 || above == 0)
            {
                break;
            }

            (low, high) = (below, above);
            border = (int)((low + high) * (0.5 * BinsPerUnit));
        }

        return (low, high);
    }

    // Of the values in some bins, taken as their middles, those beyond as they are; 0 if there are none.
    private double Mean(int from, int to)
    {
        var (count, sum) = (0L, 0L);
        for (var bin = from; bin < Math.Min(to, Bins); bin++)
        {
            count += _counts[bin];
            sum += (long)_counts[bin] * ((2 * bin) + 1);
        }

        var halves = (double)sum;
        if (to > Bins)
        {
            count += _counts[Bins];
            halves += _beyond / (double)BeyondPerBin;
        }

        return count == 0 ? 0 : halves / (2.0 * BinsPerUnit * count);
    }
}
