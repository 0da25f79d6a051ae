using System.Text;

namespace Cairn.Node;

/// <summary>The grid as a page of Markdown: what was held equal, the table, the words, the legend.</summary>
internal static class LabTable
{
    /// <summary>Writes the page.</summary>
    public static string Write(LabReport report)
    {
        var page = new StringBuilder();
        page.Append($"# Communication-efficient training, {report.Preset}\n\n");
        page.Append(
            $"{report.Parameters:N0} parameters; {report.Peers} peers; batch {report.Batch} × {report.Context} tokens per peer and inner step; " +
            $"{report.Steps} inner steps of every peer, so {report.Tokens:N0} tokens in every cell. All cells of a seed begin at the same parameters and see " +
            $"the same samples at the same steps. Inner optimizer where there is one: AdamW, peak rate {report.PeakRate}, warm-up, cosine to a tenth. " +
            $"Loss: nats per token over {report.HeldOutSamples} held-out samples, mean ± standard error over n seeds. " +
            "Bytes: what one peer sends; what it receives is not counted.\n\n");
        page.Append("| method | H | outer steps | held-out loss | bytes per peer and round | total bytes per peer | fp32 dense / this |\n");
        page.Append("|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (var row in report.Rows)
        {
            page.Append(
                $"| {row.Method} | {row.H?.ToString() ?? "–"} | {row.OuterSteps} | {Loss(row)} | {Size(row.BytesPerRound)} | {Size(row.BytesPerPeer)} | " +
                $"{row.RatioToDense:F1}× |\n");
        }

        page.Append('\n');
        foreach (var comparison in report.Comparisons)
        {
            page.Append($"- {comparison.Sentence}.\n");
        }

        page.Append("\nDifferences are paired over seeds. “Even within the error”: 0 lies in the 95 % interval of Student's t. One seed alone decides nothing.\n\n");
        foreach (var method in report.Methods)
        {
            page.Append($"- `{method.Name}`: {method.Text}.\n");
        }

        page.Append($"\nData set `{report.Data[..16]}`, version {report.Version} of the methods.\n");
        return page.ToString();
    }

    /// <summary>A number of bytes for people.</summary>
    public static string Size(double bytes) => bytes switch
    {
        < 10_240 => $"{bytes:N0} B",
        < 10_240 * 1024.0 => $"{bytes / 1024:N1} KiB",
        _ => $"{bytes / (1024 * 1024):N1} MiB",
    };

    private static string Loss(LabRow row) =>
        double.IsNaN(row.Loss) ? "diverged" : row.LossError is { } error ? $"{row.Loss:F4} ± {error:F4} (n = {row.Seeds})" : $"{row.Loss:F4} (n = {row.Seeds})";
}
