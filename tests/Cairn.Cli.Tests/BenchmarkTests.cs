using System.Text.Json;
using Cairn.Bench;

namespace Cairn.Cli.Tests;

/// <summary>Benchmarks do not rot: each runs here for a moment. How fast it was is nobody's verdict.</summary>
public sealed class BenchmarkTests
{
    public static TheoryData<string> Names => [.. Benchmarks.All.Select(benchmark => benchmark.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_benchmark_runs_and_ends_with_one_line_of_json(string name)
    {
        var benchmark = Benchmarks.All.Single(b => b.Name == name);
        using var output = new StringWriter();

        Assert.Equal(0, benchmark.Run(new BenchmarkOptions(null, Threads: 1, Json: true, Quick: true), output));

        var last = output.ToString().TrimEnd().Split('\n')[^1];
        using var parsed = JsonDocument.Parse(last);
        Assert.Equal(JsonValueKind.Object, parsed.RootElement.ValueKind);
        Assert.NotEmpty(parsed.RootElement.EnumerateObject());
    }
}
