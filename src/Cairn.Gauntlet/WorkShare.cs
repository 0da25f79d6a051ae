using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>What is known of one roster member's work when a round is judged.</summary>
/// <param name="Clearness">Of its probes as far as they are remembered, the newest first, this round's among them.</param>
/// <param name="Probed">True if it was probed in this round: only then is anything found.</param>
/// <param name="OnTrial">True for who is admitted only with a probe: measured, but no measure for others.</param>
public readonly record struct WorkEvidence(IReadOnlyList<Clearness> Clearness, bool Probed, bool OnTrial);

/// <summary>Which part of the work that a peer is paid for its updates show, measured against the established peers of the round.</summary>
/// <remarks>Training on a part p of the samples makes the clearness of a probe (<see cref="ComputationIndicator.Clearness"/>) fall with √p, however the update is
/// scaled; so the square of a peer's clearness over the median square of the clear ones is the part it trained, after what noise alone adds to the mean of a
/// square is taken off both. Of a peer that declared fewer samples a probe can look at fewer, and sees the same work less clearly: so what is compared is the clearness
/// over the root of the size of its probe. Where probes are large one is enough, and who copied, invented or trained on other data has a part near 0 in the very round in
/// which it is probed: a good name from before pays for nothing. Where they are small, the mean of a peer's last 2, 4, 8 or 16 counts: the shortest memory that
/// tells, which at least half of the established peers and two of them must show clearly. To take a round as clear by the best of its probes would call those
/// idle who had no luck; to ask only those probed in it would leave a round without a measure whenever one of them rests. The published run had one bit (sign
/// of the difference on eight samples) in a slow average.</remarks>
public static class WorkShare
{
    /// <summary>The whole, in sixteenths.</summary>
    public const int One = 16;

    /// <summary>What an update counts in the end of whose author nothing was ever found, in sixteenths: less than anybody who was found to work.</summary>
    public const int Unknown = 4;

    /// <summary>Standard errors from which on the mean of a peer's probes is clear.</summary>
    public const double ClearAt = 3;

    /// <summary>Standard errors that the median of the clear ones needs, so that it is clear by more than the luck of those that it was chosen from.</summary>
    public const double MedianClearAt = 4;

    /// <summary>Standard errors that the median of the clear ones needs in all that is remembered before the samples are told that have waited: by one finding they are
    /// paid for good, and at <see cref="MedianClearAt"/> luck alone halves the part of every tenth worker.</summary>
    public const double ToldAt = 8;

    /// <summary>Probes of a peer that are remembered: the longest memory.</summary>
    public const int Remembered = 16;

    private const int ClearMin = 2;

    /// <summary>Measures a round.</summary>
    /// <param name="evidence">One for each roster member.</param>
    /// <returns>One for each: the part in 0…1, or NaN where nothing is known.</returns>
    public static double[] Of(IReadOnlyList<WorkEvidence> evidence) => Of(evidence, one => one.Probed, MedianClearAt, all: false);

    /// <summary>Measures everybody of whom something is remembered, whether it was probed in this round or not, by all that is remembered: what samples that have waited
    /// are credited by, as soon as a memory of any length tells.</summary>
    /// <param name="evidence">One for each roster member.</param>
    /// <param name="medianClearAt">Standard errors that the median of the clear ones needs: <see cref="ToldAt"/>, or less where nothing can wait any longer.</param>
    /// <returns>One for each: the part in 0…1, or NaN where nothing is known.</returns>
    public static double[] OfAll(IReadOnlyList<WorkEvidence> evidence, double medianClearAt) => Of(evidence, one => one.Clearness.Count > 0, medianClearAt, all: true);

    private static double[] Of(IReadOnlyList<WorkEvidence> evidence, Func<WorkEvidence, bool> asks, double medianClearAt, bool all)
    {
        var measures = evidence.Where(one => !one.OnTrial && one.Clearness.Count > 0).ToList();
        if (measures.Count < ClearMin)
        {
            // A run without established peers: all measure each other.
            measures = [.. evidence.Where(one => one.Clearness.Count > 0)];
        }

        for (var memory = 1; memory <= Remembered; memory *= 2)
        {
            // In a memory of several no single probe may speak for the others: none counts as more than luck gives to a worker who is just clear.
            var most = memory == 1 ? double.PositiveInfinity : (medianClearAt / Math.Sqrt(memory)) + ClearAt;
            double? MedianOf(int reach) => Median(measures.ConvertAll(one => Finding.Of(one.Clearness, reach, most)), medianClearAt);
            var reach = all ? Remembered : memory;
            if (MedianOf(memory) is not null && MedianOf(reach) is { } median)
            {
                return [.. evidence.Select(one => asks(one) ? Math.Min(1, Finding.Of(one.Clearness, reach, most).Square / median) : double.NaN)];
            }
        }

        return [.. evidence.Select(_ => double.NaN)];
    }

    // The median square of those who are clear, or null where too few are.
    private static double? Median(List<Finding> findings, double clearAt)
    {
        var clear = findings.Where(finding => finding.Errors >= ClearAt).OrderBy(finding => finding.Square).ToList();
        if (clear.Count < ClearMin || clear.Count * 2 < findings.Count)
        {
            return null;
        }

        var middle = clear[(clear.Count - 1) / 2];
        return middle.Errors >= clearAt ? middle.Square : null;
    }

    /// <summary>The average after a finding: of all findings at first, later of about the last eight.</summary>
    /// <param name="average">Before.</param>
    /// <param name="count">Findings before.</param>
    /// <param name="part">The newest.</param>
    public static double Average(double average, int count, double part) => average + ((part - average) / Math.Min(count + 1, PeerRecord.ProbesKept));

    /// <summary>A part in sixteenths, rounded down: validators whose numbers differ a little still count the same.</summary>
    /// <param name="part">0…1.</param>
    public static int Sixteenths(double part) => (int)(Math.Clamp(part, 0, 1) * One);

    // The mean of so many probes, each over the root of its size, and what noise alone gives it.
    private readonly record struct Finding(double Mean, double Variance)
    {
        public double Errors => Mean / Math.Sqrt(Variance);

        public double Square => Mean <= 0 ? 0 : Math.Max(0, (Mean * Mean) - Variance);

        public static Finding Of(IReadOnlyList<Clearness> newestFirst, int memory, double most)
        {
            var (sum, variance, count) = (0.0, 0.0, Math.Min(memory, newestFirst.Count));
            for (var i = 0; i < count; i++)
            {
                sum += Math.Min(newestFirst[i].Errors, most) / Math.Sqrt(newestFirst[i].Size);
                variance += 1 / newestFirst[i].Size;
            }

            return new Finding(sum / count, variance / count / count);
        }
    }
}
