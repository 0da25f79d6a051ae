using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>A swarm beside its baselines, as a table and as curves over tokens.</summary>
internal static class ComparisonView
{
    private const int Columns = 8;

    public static void Write(ComparisonReport report, TextWriter output)
    {
        var width = report.Curves.Max(c => c.Name.Length);
        output.WriteLine($"\nheld-out loss (nats/token) at equal tokens");
        var marks = string.Join("", Marks(report).Select(t => $"{t / 1000.0,9:N0}k"));
        output.WriteLine($"{"tokens".PadRight(width)}  {marks}       end  bits/byte  sent per peer and round");
        foreach (var curve in report.Curves)
        {
            var cells = string.Join("", Marks(report).Select(t => $"{At(curve, t),10:F3}"));
            var sent = curve.BytesPerPeerAndRound == 0 ? "–" : $"{curve.BytesPerPeerAndRound / 1024:N1} KiB";
            output.WriteLine($"{curve.Name.PadRight(width)}  {cells}  {curve.LossFinal,8:F4}  {curve.BitsPerByteFinal,9:F3}  {sent,22}");
        }

        output.WriteLine(
            $"the swarm's final loss is {100 * report.GapToAdamW:+0.0;-0.0} % against the best AdamW and {100 * report.GapToDiloco:+0.0;-0.0} % against dense DiLoCo.");
    }

    private static IEnumerable<long> Marks(ComparisonReport report) => Enumerable.Range(1, Columns).Select(i => report.Tokens * i / (Columns + 1));

    // Straight between the measured points.
    private static double At(TrainingCurve curve, long tokens)
    {
        var points = curve.Curve;
        for (var i = 1; i < points.Count; i++)
        {
            if (points[i].Tokens >= tokens)
            {
                var (a, b) = (points[i - 1], points[i]);
                return b.Tokens == a.Tokens ? b.Loss : a.Loss + ((b.Loss - a.Loss) * (tokens - a.Tokens) / (b.Tokens - a.Tokens));
            }
        }

        return points.Count == 0 ? double.NaN : points[^1].Loss;
    }
}
