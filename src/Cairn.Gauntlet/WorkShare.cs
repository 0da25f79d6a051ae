using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Which part of the work that a peer is paid for its updates show, measured against the other peers that were probed.</summary>
/// <remarks>Training on a part p of the samples makes the clearness of a probe (<see cref="ComputationIndicator.Clearness"/>) fall with √p, however the update is
/// scaled; so the square of a peer's clearness over the median square of the clear ones is the part it trained, after what noise alone adds to the mean of a
/// square is taken off both. Where probes are large one is enough, and who copied, invented or trained on other data has a part near 0 in the very round in
/// which it is probed: a good name from before pays for nothing. Where they are small, the mean of a peer's last 2, 4, 8 or 16 counts: the shortest memory that
/// tells, which at least half of the probed and two of them must show clearly. To take a round as clear by the best of its probes would call those idle who
/// had no luck. The published run had one bit (sign of the difference on eight samples) in a slow average.</remarks>
public static class WorkShare
{
    /// <summary>The whole, in sixteenths.</summary>
    public const int One = 16;

    /// <summary>What an update counts of whose author nothing was ever found, in sixteenths: less than anybody who was found to work.</summary>
    public const int Unknown = 4;

    /// <summary>Standard errors from which on the mean of a peer's probes is clear.</summary>
    public const double ClearAt = 3;

    /// <summary>Standard errors that the median of the clear ones needs, so that it is clear by more than the luck of those that it was chosen from.</summary>
    public const double MedianClearAt = 4;

    /// <summary>Probes of a peer that are remembered: the longest memory.</summary>
    public const int Remembered = 16;

    private const int ClearMin = 2;

    /// <summary>Measures a round.</summary>
    /// <param name="probes">For each roster member the clearness of its probes, the newest first and this round's among them; null or empty for who was not
    /// probed in this round.</param>
    /// <returns>One for each: the part in 0…1, or NaN where nothing is known.</returns>
    public static double[] Of(IReadOnlyList<IReadOnlyList<double>?> probes)
    {
        for (var memory = 1; memory <= Remembered; memory *= 2)
        {
            var findings = new Finding[probes.Count];
            for (var i = 0; i < findings.Length; i++)
            {
                findings[i] = probes[i] is { } known ? Finding.Of(known, memory) : default;
            }

            if (Median(findings) is { } median)
            {
                return [.. findings.Select(finding => finding.Count == 0 ? double.NaN : Math.Min(1, finding.Square / median))];
            }
        }

        return [.. probes.Select(_ => double.NaN)];
    }

    // The median square of those who are clear, or null where too few are.
    private static double? Median(Finding[] findings)
    {
        var clear = findings.Where(finding => finding.Errors >= ClearAt).OrderBy(finding => finding.Square).ToList();
        if (clear.Count < ClearMin || clear.Count * 2 < findings.Count(finding => finding.Count > 0))
        {
            return null;
        }

        var middle = clear[(clear.Count - 1) / 2];
        return middle.Errors >= MedianClearAt ? middle.Square : null;
    }

    /// <summary>The average after a finding: of all findings at first, later of about the last eight.</summary>
    /// <param name="average">Before.</param>
    /// <param name="count">Findings before.</param>
    /// <param name="part">The newest.</param>
    public static double Average(double average, int count, double part) => average + ((part - average) / Math.Min(count + 1, PeerRecord.ProbesKept));

    /// <summary>A part in sixteenths, rounded down: validators whose numbers differ a little still count the same.</summary>
    /// <param name="part">0…1.</param>
    public static int Sixteenths(double part) => (int)(Math.Clamp(part, 0, 1) * One);

    // The mean of so many probes; none where the count is 0.
    private readonly record struct Finding(double Mean, int Count)
    {
        public double Errors => Mean * Math.Sqrt(Count);

        public double Square => Mean <= 0 ? 0 : Math.Max(0, (Mean * Mean) - (1.0 / Count));

        public static Finding Of(IReadOnlyList<double> newestFirst, int memory)
        {
            var (sum, count) = (0.0, Math.Min(memory, newestFirst.Count));
            for (var i = 0; i < count; i++)
            {
                sum += newestFirst[i];
            }

            return count == 0 ? default : new Finding(sum / count, count);
        }
    }
}
