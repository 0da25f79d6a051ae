using Cairn.Model;

namespace Cairn.Node;

/// <summary>From finished cells to rows and words. Every number is computed from the cells alone.</summary>
internal static class LabSummary
{
    // Student's t, two-sided 95 %, for 1, 2, 3… degrees of freedom: with few seeds two standard errors would promise too much.
    private static readonly double[] StudentT =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    ];

    /// <summary>The report of a whole grid.</summary>
    /// <param name="setting">What all cells share.</param>
    /// <param name="plan">The cells in their order.</param>
    /// <param name="results">As many, in the same order.</param>
    public static LabReport Of(LabSetting setting, IReadOnlyList<LabCell> plan, IReadOnlyList<CellResult> results)
    {
        var parameters = new ParameterLayout(setting.Shape).Length;
        var cells = plan.Zip(results, (cell, result) => (cell, result)).ToList();
        var groups = LabMethods.All.SelectMany(method => cells.Where(pair => pair.cell.Method == method).GroupBy(pair => pair.cell.H).OrderBy(group => group.Key));
        return new LabReport(
            LabSetting.Version, setting.Preset, parameters, setting.Data.ToString(), setting.Peers, setting.Batch, setting.Shape.Context, setting.Steps,
            setting.Tokens, setting.Schedule.Peak, LabSetting.FinalSamples,
            [.. LabMethods.All.Where(method => plan.Any(cell => cell.Method == method)).Select(method => new LabLegend(method.Name, method.Text))],
            [.. groups.Select(group => Row([.. group.Select(pair => pair.result)], parameters))],
            Comparisons(results),
            [.. results.Select(r => new LabCellReport(r.Method, r.H, r.Seed, r.LossFinal, r.BitsPerByteFinal, r.BytesPerPeer, r.Base, r.Curve))]);
    }

    private static LabRow Row(IReadOnlyList<CellResult> seeds, long parameters)
    {
        var (first, bytes) = (seeds[0], seeds.Average(r => r.BytesPerPeer));
        var (mean, error) = MeanAndError([.. seeds.Select(r => r.LossFinal)]);
        return new LabRow(
            first.Method, first.H, first.OuterSteps, seeds.Count, mean, error, bytes / first.OuterSteps, bytes,
            (double)LabBytes.Dense(parameters) * first.OuterSteps / bytes);
    }

    private static List<LabComparison> Comparisons(IReadOnlyList<CellResult> results)
    {
        (string Other, string Words)[] others =
        [
            (LabMethods.Diloco, "SparseLoCo (ours) against dense DiLoCo"),
            (LabMethods.Published, "SparseLoCo (ours) against SparseLoCo as published"),
            (LabMethods.OursPublishedQuantizer, "our quantiser against the published one, all else ours"),
            (LabMethods.OursSignMagnitude, "the sign alone against sign and magnitude"),
            (LabMethods.OursFeedbackSent, "error feedback less what was applied against less what was sent"),
            (LabMethods.OursDelayed, "no apply delay against one of 1"),
            (LabMethods.OursDelayedUnled, "no apply delay against one of 1 from the base itself"),
        ];
        return
        [
            .. from pair in others
               from h in results.Select(r => r.H).OfType<int>().Distinct().Order()
               let compared = Compare(results, pair.Other, h, pair.Words)
               where compared is not null
               select compared,
        ];
    }

    private static LabComparison? Compare(IReadOnlyList<CellResult> results, string other, int h, string words)
    {
        var ours = results.Where(r => r.Method == LabMethods.Ours && r.H == h);
        var theirs = results.Where(r => r.Method == other && r.H == h).ToDictionary(r => r.Seed);
        var differences = ours.Where(r => theirs.ContainsKey(r.Seed)).Select(r => r.LossFinal - theirs[r.Seed].LossFinal).ToList();
        if (differences.Count == 0)
        {
            return null;
        }

        var (mean, error) = MeanAndError(differences);
        var verdict = Verdict(mean, error, differences.Count);
        var numbers = error is { } e ? $"{mean:+0.0000;-0.0000;0.0000} ± {e:F4} nats/token over {differences.Count} seeds"
            : $"{mean:+0.0000;-0.0000;0.0000} nats/token, error unknown";
        return new LabComparison(LabMethods.Ours, other, h, differences.Count, mean, error, verdict, $"{words}, H = {h}: {verdict} ({numbers})");
    }

    private static string Verdict(double mean, double? error, int seeds)
    {
        var side = mean < 0 ? "ahead" : mean > 0 ? "behind" : "the same";
        return double.IsNaN(mean) ? "not comparable, for one diverged"
            : error is not { } e ? $"{side} on one seed"
            : Math.Abs(mean) <= StudentT[Math.Min(seeds - 1, StudentT.Length) - 1] * e ? "even within the error" : side;
    }

    private static (double Mean, double? Error) MeanAndError(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        var error = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / Math.Max(1, values.Count - 1) / values.Count);
        return (mean, values.Count > 1 ? error : null);
    }
}
