using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>What one model did.</summary>
/// <param name="Model">Its folder or file.</param>
/// <param name="Texts">What was read.</param>
/// <param name="Tasks">What was answered.</param>
public sealed record ModelScore(string Model, IReadOnlyList<TextScore> Texts, IReadOnlyList<TaskScore> Tasks);

/// <summary>Two models on one text.</summary>
/// <param name="Name">Of the text.</param>
/// <param name="BitsPerByte">Of the first minus that of the second: below 0 the first predicts better.</param>
/// <param name="StandardError">From the paired differences of windows; NaN where the two cut the text differently, or into one window.</param>
public sealed record TextComparison(string Name, double BitsPerByte, double StandardError)
{
    /// <summary>Compares.</summary>
    /// <param name="first">Of one model.</param>
    /// <param name="second">Of the other, on the same text.</param>
    public static TextComparison Of(TextScore first, TextScore second)
    {
        Invariant.Check(first.Bytes == second.Bytes);
        var isPaired = first.Tokens == second.Tokens && first.Windows.Count == second.Windows.Count && first.Windows.Count > 1;
        var differences = isPaired ? first.Windows.Zip(second.Windows, (a, b) => a - b).ToArray() : [];
        var error = isPaired ? Comparison.MeanOf(differences).StandardError * differences.Length / Math.Log(2) / first.Bytes : double.NaN;
        return new TextComparison(first.Name, first.BitsPerByte - second.BitsPerByte, error);
    }
}

/// <summary>An examination: one model, or two and how they differ.</summary>
/// <param name="Model">The first.</param>
/// <param name="Against">The second, or null.</param>
public sealed record EvaluationReport(ModelScore Model, ModelScore? Against)
{
    /// <summary>The two on each text; empty with one model.</summary>
    public IReadOnlyList<TextComparison> Texts { get; } = Against is null ? [] : [.. Model.Texts.Zip(Against.Texts, TextComparison.Of)];

    /// <summary>The two on each task and measure; empty with one model.</summary>
    public IReadOnlyList<Comparison> Tasks { get; } = Against is null ? [] : [.. Model.Tasks.Zip(Against.Tasks, Comparison.Of).SelectMany(one => one)];
}
