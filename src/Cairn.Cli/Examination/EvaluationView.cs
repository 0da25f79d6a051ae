using System.Globalization;
using System.Text;
using Cairn.Evaluation;
using Cairn.Protocol;

namespace Cairn.Cli.Examination;

/// <summary>An examination for people.</summary>
internal static class EvaluationView
{
    private const double Significant = 0.05;

    /// <summary>The whole report.</summary>
    public static string Of(EvaluationReport report)
    {
        var page = new StringBuilder();
        foreach (var score in (ModelScore?[])[report.Model, report.Against])
        {
            if (score is not null)
            {
                Write(page, score);
            }
        }

        if (report.Against is { } against)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"{report.Model.Model} against {against.Model}, on the same questions");
            foreach (var text in report.Texts)
            {
                page.AppendLine(CultureInfo.InvariantCulture, $"  {text.Name,-24} {text.BitsPerByte,+8:+0.0000;-0.0000} bits/byte{Error(text.StandardError)}");
            }

            foreach (var task in report.Tasks)
            {
                page.AppendLine(CultureInfo.InvariantCulture,
                    $"  {task.Task + " " + task.Metric,-36} {100 * task.Difference,+7:+0.00;-0.00} ± {100 * task.StandardError:0.00} points, " +
                    $"only one right {task.FirstOnly} : {task.SecondOnly}, p = {task.PValue:0.000}: {(task.PValue < Significant ? "they differ" : "luck would do it")}");
            }
        }

        return page.ToString().TrimEnd();
    }

    /// <summary>What an evaluator found of one checkpoint.</summary>
    /// <param name="record">It.</param>
    /// <param name="by">Who signed it, or null for whoever reads it.</param>
    public static string Of(EvaluationRecord record, string? by)
    {
        var page = new StringBuilder();
        page.AppendLine(CultureInfo.InvariantCulture,
            $"round {record.Round + 1,4}  held-out {record.Loss:0.0000} ± {record.StandardError:0.0000} nats/token, {record.BitsPerByte:0.000} bits/byte " +
            $"({record.Sequences} sequences)  checkpoint {Shortened(Shown(record.Checkpoint))}{(by is null ? "" : $"  signed by {by}")}");
        foreach (var text in record.Texts)
        {
            page.AppendLine(CultureInfo.InvariantCulture, $"  {Shown(text.Name),-36} {text.BitsPerByte:0.0000} bits/byte ({text.Bytes:N0} bytes)");
        }

        foreach (var task in record.Tasks)
        {
            page.AppendLine(CultureInfo.InvariantCulture,
                $"  {Shown(task.Task + " " + task.Metric),-36} {100 * task.Mean,6:0.00} % ± {100 * task.StandardError:0.00} (of {task.Count})");
        }

        page.AppendLine(CultureInfo.InvariantCulture, $"  before: “{Shown(record.SampleAtStart)}”");
        page.Append(CultureInfo.InvariantCulture, $"  now:    “{Shown(record.Sample)}”");
        return page.ToString();
    }

    private static string Shortened(string digest) => digest[..Math.Min(16, digest.Length)];

    // Others' words: no control character reaches a terminal.
    private static string Shown(string text) => string.Concat(text.Take(160).Select(c => char.IsControl(c) ? ' ' : c)) + (text.Length > 160 ? "…" : "");

    private static void Write(StringBuilder page, ModelScore score)
    {
        page.AppendLine(score.Model);
        foreach (var text in score.Texts)
        {
            page.AppendLine(CultureInfo.InvariantCulture,
                $"  {text.Name,-24} {text.BitsPerByte:0.0000} bits/byte, perplexity {text.Perplexity:0.00} per token ({text.Tokens:N0} tokens, {text.Bytes:N0} bytes)");
        }

        foreach (var task in score.Tasks)
        {
            foreach (var metric in task.Metrics)
            {
                page.AppendLine(CultureInfo.InvariantCulture,
                    $"  {task.Task + " " + metric.Name,-36} {100 * metric.Mean,6:0.00} % ± {100 * metric.StandardError:0.00} (of {metric.Count})");
            }
        }
    }

    private static string Error(double error) => double.IsNaN(error) ? "" : string.Create(CultureInfo.InvariantCulture, $" ± {error:0.0000}");
}
