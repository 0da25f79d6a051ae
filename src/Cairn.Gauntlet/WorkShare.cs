using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Which part of the work that a peer is paid for its update shows, measured against the other updates of the round.</summary>
/// <remarks>Training on a part p of the samples makes the clearness of a probe (<see cref="ComputationIndicator.Clearness"/>) fall with √p, however the update is
/// scaled; so the square of a peer's clearness over the median square of the clear ones is the part it trained, after the 1 that noise
/// alone adds to the mean of a square is taken off both. Who copied, invented or trained on other data
/// has a clearness near 0 and a part near 0 in the very round in which it is probed: a good name from before pays for nothing. The published run had
/// one bit (sign of the difference on eight samples) in a slow average. A round says nothing if fewer than two probes, or fewer than half of them, are clear.</remarks>
public static class WorkShare
{
    /// <summary>The whole, in sixteenths.</summary>
    public const int One = 16;

    /// <summary>What an update counts of whose author nothing was ever found, in sixteenths: less than anybody who was found to work.</summary>
    public const int Unknown = 4;

    /// <summary>Standard errors from which on a probe is clear.</summary>
    public const double ClearAt = 3;

    private const int ClearMin = 2;

    /// <summary>Measures a round.</summary>
    /// <param name="observations">What was seen of each roster member.</param>
    /// <returns>One for each: the part in 0…1, or NaN where nothing is known.</returns>
    public static double[] Of(IReadOnlyList<Observation> observations)
    {
        var squares = new double[observations.Count];
        var clear = new List<double>();
        var probes = 0;
        for (var i = 0; i < squares.Length; i++)
        {
            squares[i] = double.NaN;
            if (observations[i] is { Reason: Rejection.None, Probe: { } probe })
            {
                var clearness = ComputationIndicator.Clearness(probe);
                squares[i] = clearness <= 1 ? 0 : (clearness * clearness) - 1;
                probes++;
                if (clearness >= ClearAt)
                {
                    clear.Add(squares[i]);
                }
            }
        }

        if (clear.Count < ClearMin || clear.Count * 2 < probes)
        {
            squares.AsSpan().Fill(double.NaN);
            return squares;
        }

        clear.Sort();
        var median = clear[(clear.Count - 1) / 2];
        for (var i = 0; i < squares.Length; i++)
        {
            squares[i] = squares[i] >= median ? 1 : squares[i] / median;
        }

        return squares;
    }

    /// <summary>The average after a finding: of all findings at first, later of about the last eight.</summary>
    /// <param name="average">Before.</param>
    /// <param name="count">Findings before.</param>
    /// <param name="part">The newest.</param>
    public static double Average(double average, int count, double part) => average + ((part - average) / Math.Min(count + 1, PeerRecord.ProbesKept));

    /// <summary>A part in sixteenths, rounded down: validators whose numbers differ a little still count the same.</summary>
    /// <param name="part">0…1.</param>
    public static int Sixteenths(double part) => (int)(Math.Clamp(part, 0, 1) * One);
}
