using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Evaluation;
using Cairn.Protocol;

namespace Cairn.Cli.Examination;

/// <summary>An examination for machines.</summary>
internal static class EvaluationFile
{
    /// <summary>The report without its questions, on one line.</summary>
    public static string Line(EvaluationReport report) => JsonSerializer.Serialize(
        new ExaminationRow([.. ((ModelScore?[])[report.Model, report.Against]).OfType<ModelScore>().Select(Of)], report.Texts, report.Tasks),
        EvaluationJson.Default.ExaminationRow);

    /// <summary>What an evaluator found of one checkpoint, on one line.</summary>
    /// <param name="record">It.</param>
    /// <param name="by">Who signed it, or null for whoever reads it.</param>
    public static string Line(EvaluationRecord record, string? by) => JsonSerializer.Serialize(new SignedRow(by, record), EvaluationJson.Default.SignedRow);

    /// <summary>Every question of every model, a line each.</summary>
    public static void WriteItems(string path, IReadOnlyList<ModelScore> scores)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
        {
            Directory.CreateDirectory(folder);
        }

        using var file = new StreamWriter(path);
        foreach (var (score, task) in scores.SelectMany(score => score.Tasks.Select(task => (score, task))))
        {
            foreach (var item in task.Items)
            {
                var row = new ItemRow(score.Model, task.Task, item.Id, item.Marks, item.Likelihoods, item.Gold, item.Answer);
                file.WriteLine(JsonSerializer.Serialize(row, EvaluationJson.Default.ItemRow));
            }
        }
    }

    private static ModelRow Of(ModelScore score) => new(
        score.Model, [.. score.Texts.Select(text => new TextRow(text.Name, text.Bytes, text.Tokens, text.Perplexity, text.BitsPerByte))],
        [.. score.Tasks.Select(task => new TaskRow(task.Task, task.Items.Count, task.Metrics))]);
}

internal sealed record ExaminationRow(IReadOnlyList<ModelRow> Models, IReadOnlyList<TextComparison> TextDifferences, IReadOnlyList<Comparison> TaskDifferences);

internal sealed record SignedRow(string? By, EvaluationRecord Evaluation);

internal sealed record ModelRow(string Model, IReadOnlyList<TextRow> Texts, IReadOnlyList<TaskRow> Tasks);

internal sealed record TextRow(string Name, long Bytes, long Tokens, double Perplexity, double BitsPerByte);

internal sealed record TaskRow(string Task, int Questions, IReadOnlyList<Metric> Metrics);

internal sealed record ItemRow(string Model, string Task, string Id, IReadOnlyList<Mark> Marks, IReadOnlyList<double>? Likelihoods, int? Gold, string? Answer);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ExaminationRow))]
[JsonSerializable(typeof(ItemRow))]
[JsonSerializable(typeof(SignedRow))]
internal sealed partial class EvaluationJson : JsonSerializerContext;
