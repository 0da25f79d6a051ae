namespace Cairn.Bench;

/// <summary>What a benchmark is asked: the same words for all, each uses those that apply.</summary>
/// <param name="Shape">A named shape ("A", "B", "nano"…), or null for the benchmark's own choice.</param>
/// <param name="Threads">Threads to compute with; at least 1.</param>
/// <param name="Json">True to end with one line of JSON.</param>
/// <param name="Quick">True for a smoke run of a second or two: it shows that the benchmark works, not how fast the code is.</param>
/// <param name="Against">The peer to measure beside ("torch"), or null.</param>
/// <param name="Precision">"fp32" or "bf16".</param>
/// <param name="Disturbed">True to measure beside a busy process.</param>
/// <param name="Elements">Size of the data for benchmarks of streams; 0 for the benchmark's own choice.</param>
/// <param name="Plot">Where to write a plot (SVG), or null; for benchmarks that have one.</param>
public sealed record BenchmarkOptions(
    string? Shape, int Threads, bool Json, bool Quick, string? Against = null, string Precision = "fp32", bool Disturbed = false, long Elements = 0,
    string? Plot = null);

/// <summary>One benchmark: its name, one sentence, and the run itself. The exit code is 0 when it ran; speed is reported, never judged.</summary>
/// <param name="Name">What follows "cairn bench".</param>
/// <param name="Summary">What it measures and against which bound.</param>
/// <param name="Run">Writes to the given writer.</param>
public sealed record Benchmark(string Name, string Summary, Func<BenchmarkOptions, TextWriter, int> Run);

/// <summary>All benchmarks by name.</summary>
public static class Benchmarks
{
    /// <summary>In the order they are listed to the user.</summary>
    public static IReadOnlyList<Benchmark> All { get; } =
    [
        MatMulBenchmark.Entry,
        TrainBenchmark.Entry,
        SparseBenchmark.Entry,
        TokenizerBenchmark.Entry,
        InferenceBenchmark.Entry,
        SimulationBenchmark.Entry,
        DashboardBenchmark.Entry,
    ];
}
