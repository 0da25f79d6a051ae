namespace Cairn.Ledger;

/// <summary>Hyperparameters of one subnet, in the units in which its chain stores them.</summary>
public sealed record YumaRules
{
    /// <summary>How much of the stake must support a score for it to count, in 65535ths.</summary>
    public ushort Kappa { get; init; } = 32767;

    /// <summary>0: bonds follow what a validator said; 65535: what the consensus left of it.</summary>
    public ushort BondsPenalty { get; init; } = ushort.MaxValue;

    /// <summary>What is kept of the bonds of the last epoch, in millionths: 0 to <see cref="BondsMovingAverageMax"/>. More than a million makes
    /// the new count negatively; the published runtime permits it, and so it is computed.</summary>
    public long BondsMovingAverage { get; init; } = 900_000;

    /// <summary>Bonds as in Yuma 3, not as in Yuma 2.</summary>
    public bool Version3 { get; init; }

    /// <summary>In version 3, a rate of bonds for each pair.</summary>
    public bool LiquidAlpha { get; init; }

    /// <summary>The slowest such rate, in 65535ths.</summary>
    public ushort AlphaLow { get; init; } = 45875;

    /// <summary>The fastest such rate, in 65535ths; not below <see cref="AlphaLow"/>.</summary>
    public ushort AlphaHigh { get; init; } = 58982;

    /// <summary>Of the sigmoid between them, in hundredths.</summary>
    public short Steepness { get; init; } = 1000;

    /// <summary>How many may validate.</summary>
    public ushort PermitsMax { get; init; } = 128;

    /// <summary>The limit of <see cref="BondsMovingAverage"/>: beyond it the format of the runtime would overflow.</summary>
    public const long BondsMovingAverageMax = 1_000_000_000_000_000;

    // Proportions are quotients by 65535 that round towards zero; the whole is exactly 1.
    internal YumaSettings ToSettings() => new(
        Fixed32.OfU16(Kappa),
        Fixed32.OfU16(BondsPenalty),
        Fixed32.One - Fixed32.Ratio((ulong)BondsMovingAverage, 1_000_000),
        LiquidAlpha ? new LiquidAlpha(Fixed32.OfU16(AlphaLow), Fixed32.OfU16(AlphaHigh), Fixed32.Of(Steepness)) : null,
        Version3,
        PermitsMax);
}
