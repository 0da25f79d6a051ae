namespace Cairn.Gauntlet;

/// <summary>How good a peer's accepted samples are held to be: a bounded factor, so that pay never depends on a rating alone.</summary>
/// <remarks>quality = 4/16 + 12/16 · (r + i)/2, rounded down to sixteenths, with r = ordinal/20 and i = 2 · indicator, both held within 0 … 1. A
/// newcomer (ordinal 0, indicator 0) has 4/16.
/// More than four negatives among the last eight probes give 4/16 too (Covenant-72B: a quarter of the score). The grid lets validators whose
/// floating-point findings differ a
/// little still post equal shares.</remarks>
public static class Quality
{
    /// <summary>The grid: quality is in sixteenths.</summary>
    public const int One = 16;

    /// <summary>The least quality of a peer with accepted samples.</summary>
    public const int Least = 4;

    private const double OrdinalFull = 20;
    private const double IndicatorFull = 0.5;
    private const int NegativesMax = 4;

    /// <summary>The factor of a peer.</summary>
    /// <param name="record">What is remembered of it.</param>
    /// <returns>4 to 16 sixteenths.</returns>
    public static int Of(PeerRecord record)
    {
        if (record.NegativeCount > NegativesMax)
        {
            return Least;
        }

        var rating = Math.Clamp(record.Rating.Ordinal / OrdinalFull, 0, 1);
        var indicator = Math.Clamp(record.Indicator / IndicatorFull, 0, 1);
        return Least + (int)((One - Least) * ((rating + indicator) / 2));
    }
}
