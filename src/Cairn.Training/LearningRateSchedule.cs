using Cairn.Base;

namespace Cairn.Training;

/// <summary>The learning rate of every inner step of a run: linear warm-up, cosine to a floor, an optional window in which the schedule
/// stands still, and an
/// optional anneal at the end. A pure function of the step, the same bits on every machine.</summary>
/// <remarks>Source: reference 1.5 and 1.7 (Covenant-72B: peak 1.17e-4, warm-up 1,500, cosine 140,000 to a tenth, flat from 82,200 for
/// 13,500 steps).
/// A restart that rewinds asks for an earlier step.</remarks>
/// <param name="Peak">The highest rate; above 0.</param>
/// <param name="WarmupSteps">Steps from a millionth of the peak to the peak; 0 for none.</param>
/// <param name="CosineSteps">Steps from the peak to the floor; at least 1.</param>
/// <param name="FloorFactor">The floor as a part of the peak, 0…1.</param>
public sealed record LearningRateSchedule(double Peak, long WarmupSteps, long CosineSteps, double FloorFactor = 0.1)
{
    private const double First = 1e-6;

    /// <summary>The step at which the schedule stops to advance; used when <see cref="FlatSteps"/> is above 0.</summary>
    public long FlatStart { get; init; }

    /// <summary>For how many steps it stands still; 0 for never.</summary>
    public long FlatSteps { get; init; }

    /// <summary>What comes after the last cosine step: false holds the floor; true lets the cosine rise again, as the library behind the
    /// published run does
    /// (it overshot by 8,000 steps).</summary>
    public bool CosineRises { get; init; }

    /// <summary>The step at which the anneal takes over; null for never.</summary>
    public long? AnnealStart { get; init; }

    /// <summary>Steps of the anneal's own warm-up.</summary>
    public long AnnealWarmupSteps { get; init; } = 100;

    /// <summary>Steps from the anneal's peak down to zero; at least 1.</summary>
    public long AnnealDecaySteps { get; init; } = 4500;

    /// <summary>The anneal's peak as a part of the peak.</summary>
    public double AnnealPeakFactor { get; init; } = 0.25;

    /// <summary>The rate of a step.</summary>
    /// <param name="step">Inner step counted from the beginning of the run, 0 or more.</param>
    public double At(long step)
    {
        Invariant.Check(step >= 0);
        if (step >= AnnealStart)
        {
            return Anneal(step - AnnealStart.Value);
        }

        var advanced = FlatSteps > 0 && step > FlatStart ? Math.Max(FlatStart, step - FlatSteps) : step;
        return advanced < WarmupSteps ? Peak * Ramp(1, advanced, WarmupSteps) : Cosine(advanced - WarmupSteps);
    }

    /// <summary>Everything that is wrong with the settings, one sentence each; empty if nothing is.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        void Need(bool holds, string sentence)
        {
            if (!holds)
            {
                faults.Add(sentence);
            }
        }

        Need(double.IsFinite(Peak) && Peak > 0, $"learning rate {Peak} must be above 0");
        Need(WarmupSteps >= 0, $"warm-up of {WarmupSteps} steps must not be negative");
        Need(CosineSteps >= 1, $"cosine of {CosineSteps} steps must be at least 1");
        Need(FloorFactor is >= 0 and <= 1, $"floor factor {FloorFactor} must lie in 0…1");
        Need(FlatStart >= 0 && FlatSteps >= 0, $"flat window {FlatStart} + {FlatSteps} must not be negative");
        Need(AnnealStart is null or >= 0, $"anneal start {AnnealStart} must not be negative");
        Need(AnnealWarmupSteps >= 0 && AnnealDecaySteps >= 1, $"anneal of {AnnealWarmupSteps} + {AnnealDecaySteps} steps must be at least 0 + 1");
        Need(AnnealPeakFactor is >= 0 and <= 1, $"anneal peak factor {AnnealPeakFactor} must lie in 0…1");
        return faults;
    }

    private static double Ramp(double to, long step, long steps) => First + ((to - First) * step / steps);

    private double Cosine(long step)
    {
        var progress = CosineRises ? (double)step / CosineSteps : Math.Min(1, (double)step / CosineSteps);
        var (_, cos) = DeterministicMath.SinCos(Math.PI * progress);
        return Peak * (FloorFactor + ((1 - FloorFactor) * 0.5 * (1 + cos)));
    }

    private double Anneal(long step) => step < AnnealWarmupSteps
        ? Peak * Ramp(AnnealPeakFactor, step, AnnealWarmupSteps)
        : Peak * AnnealPeakFactor * Math.Max(0, 1 - ((double)(step - AnnealWarmupSteps) / AnnealDecaySteps));
}
