using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>How much a change lowered the loss on the same sequences: each is its own control, so what differs between sequences cancels.</summary>
/// <param name="Mean">Mean of before − after in nats per token: positive is an improvement. −∞ if any loss after was not finite.</param>
/// <param name="StandardError">Standard deviation of the differences (n − 1) over √n; +∞ for a single sequence, 0 with an infinite mean.</param>
/// <param name="Before">Mean loss before.</param>
/// <param name="Count">Sequences; at least 1.</param>
public readonly record struct PairedDifference(double Mean, double StandardError, double Before, int Count)
{
    /// <summary>Improvement as a part of the loss before: comparable between rounds and sets of sequences.</summary>
    public double Relative => Mean / Before;

    /// <summary>The mean less <paramref name="z"/> standard errors.</summary>
    /// <param name="z">0 or more; 1.64 leaves 5 % below, for enough sequences.</param>
    public double LowerBound(double z) => Bound(-z);

    /// <summary>The mean plus <paramref name="z"/> standard errors.</summary>
    /// <param name="z">0 or more.</param>
    public double UpperBound(double z) => Bound(z);

    /// <summary>Compares the losses of the same sequences before and after. Sums run in the order given, in double.</summary>
    /// <param name="before">Mean loss per token of each sequence; finite and above 0: the base is ours.</param>
    /// <param name="after">Likewise with the change; may be anything, for the change is another's.</param>
    public static PairedDifference Between(ReadOnlySpan<double> before, ReadOnlySpan<double> after)
    {
        Invariant.Check(before.Length > 0);
        Invariant.Check(before.Length == after.Length);
        var (sum, sumBefore, finite) = (0.0, 0.0, true);
        for (var i = 0; i < before.Length; i++)
        {
            Invariant.Check(double.IsFinite(before[i]) && before[i] > 0);
            finite &= double.IsFinite(after[i]);
            sum += before[i] - after[i];
            sumBefore += before[i];
        }

        var n = before.Length;
        if (!finite)
        {
            return new PairedDifference(double.NegativeInfinity, 0, sumBefore / n, n);
        }

        var mean = sum / n;
        var squares = 0.0;
        for (var i = 0; i < n; i++)
        {
            var off = before[i] - after[i] - mean;
            squares += off * off;
        }

        var error = n == 1 ? double.PositiveInfinity : Math.Sqrt(squares / (n - 1) / n);
        return new PairedDifference(mean, error, sumBefore / n, n);
    }

    // Not z · error where z is 0: infinity times 0 is no number.
    private double Bound(double z) => z == 0 ? Mean : Mean + (z * StandardError);
}
