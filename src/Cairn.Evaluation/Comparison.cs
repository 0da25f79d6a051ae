using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>Two models on the same questions, compared question by question: what both get right or wrong says nothing of their difference.</summary>
/// <param name="Task">The task or text.</param>
/// <param name="Metric">The measure.</param>
/// <param name="Difference">Mean of the first minus mean of the second.</param>
/// <param name="StandardError">Of that difference, from the paired differences.</param>
/// <param name="FirstOnly">Questions that only the first got right.</param>
/// <param name="SecondOnly">Questions that only the second got right.</param>
/// <param name="PValue">How often chance alone would divide those as unevenly (McNemar's exact test, two-sided): 1 where there is none.</param>
public sealed record Comparison(string Task, string Metric, double Difference, double StandardError, int FirstOnly, int SecondOnly, double PValue)
{
    /// <summary>Compares by every measure.</summary>
    /// <param name="first">Of one model.</param>
    /// <param name="second">Of the other, on the same questions.</param>
    public static IReadOnlyList<Comparison> Of(TaskScore first, TaskScore second)
    {
        Invariant.Check(first.Task == second.Task && first.Items.Count == second.Items.Count);
        return [.. first.Metrics.Select(metric => Of(first.Task, metric.Name, MarksOf(first, metric.Name), MarksOf(second, metric.Name)))];
    }

    private static double[] MarksOf(TaskScore score, string metric) =>
        [.. score.Items.SelectMany(item => item.Marks).Where(mark => mark.Metric == metric).Select(mark => mark.Value)];

    private static Comparison Of(string task, string metric, double[] first, double[] second)
    {
        Invariant.Check(first.Length == second.Length && first.Length > 0);
        var differences = first.Zip(second, (a, b) => a - b).ToArray();
        var (mean, error) = MeanOf(differences);
        var (ahead, behind) = (differences.Count(d => d > 0), differences.Count(d => d < 0));
        return new Comparison(task, metric, mean, error, ahead, behind, McNemar(ahead, behind));
    }

    /// <summary>Mean and its standard error.</summary>
    internal static (double Mean, double StandardError) MeanOf(double[] values)
    {
        var mean = values.Average();
        return (mean, values.Length > 1 ? Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1) / values.Length) : 0);
    }

    /// <summary>The two-sided probability that of so many tosses of a fair coin the rarer side comes at most as often as here.</summary>
    internal static double McNemar(int ahead, int behind)
    {
        var (tosses, rarer) = (ahead + behind, Math.Min(ahead, behind));
        // In logarithms: 2 to the number of tosses leaves the range of a double soon.
        var (logarithm, sum) = (-tosses * Math.Log(2), 0.0);
        for (var k = 0; k <= rarer; k++)
        {
            sum += Math.Exp(logarithm);
            logarithm += Math.Log(tosses - k) - Math.Log(k + 1);
        }

        return tosses == 0 ? 1 : Math.Min(1, 2 * sum);
    }
}
