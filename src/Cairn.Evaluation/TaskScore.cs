namespace Cairn.Evaluation;

/// <summary>What became of one question.</summary>
/// <param name="Id">As in the file.</param>
/// <param name="Marks">By each measure; of one with several instructions one mark for each.</param>
/// <param name="Likelihoods">Of the answers to choose from, logarithms in nats; null of free answers.</param>
/// <param name="Gold">The right one of them, or null.</param>
/// <param name="Answer">What was said freely, or null.</param>
public sealed record ItemScore(string Id, IReadOnlyList<Mark> Marks, IReadOnlyList<double>? Likelihoods, int? Gold, string? Answer);

/// <summary>A measure over all questions of a task.</summary>
/// <param name="Name">As the LM Evaluation Harness calls it.</param>
/// <param name="Mean">0 to 1.</param>
/// <param name="StandardError">Of the mean: the sample's deviation over the root of the count; 0 for a single mark.</param>
/// <param name="Count">Marks.</param>
public sealed record Metric(string Name, double Mean, double StandardError, int Count);

/// <summary>What a model did with a task.</summary>
/// <param name="Task">Its name.</param>
/// <param name="Items">In the order of the file.</param>
public sealed record TaskScore(string Task, IReadOnlyList<ItemScore> Items)
{
    /// <summary>The measures, in the order in which they first appear.</summary>
    public IReadOnlyList<Metric> Metrics { get; } =
        [.. Items.SelectMany(item => item.Marks).GroupBy(mark => mark.Metric).Select(group => Of(group.Key, [.. group.Select(mark => mark.Value)]))];

    private static Metric Of(string name, double[] values)
    {
        var mean = values.Average();
        var squares = values.Sum(value => (value - mean) * (value - mean));
        return new Metric(name, mean, values.Length > 1 ? Math.Sqrt(squares / (values.Length - 1) / values.Length) : 0, values.Length);
    }
}
