using System.Diagnostics;
using System.Globalization;
using Cairn.Simulation;

namespace Cairn.Bench;

/// <summary>What a simulated swarm costs as it grows: time for each node and round, which should rise no faster than the logarithm of the number of peers.</summary>
public static class SimulationBenchmark
{
    private const int Validators = 16;

    /// <summary>How the benchmark is listed.</summary>
    public static Benchmark Entry { get; } = new(
        "simulate", "Simulated swarms of 64 to 4,096 peers with 16 validators on one core: seconds, and microseconds for each node and round.", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var rounds = options.Quick ? 2 : 6;
        int[] sizes = options.Quick ? [16, 64] : [64, 128, 256, 512, 1024, 2048, 4096];
        var rows = new List<(int Peers, double Seconds, double Each)>();
        output.WriteLine($"{rounds} rounds, {Validators} validators, no faults, no cheats\n peers    seconds    µs for each node and round    the same over log₂ of peers");
        Simulate(64, 4);
        foreach (var peers in sizes)
        {
            // Small swarms take milliseconds: the best of a few says what they cost.
            var seconds = Enumerable.Range(0, options.Quick || peers > 1024 ? 1 : 5).Min(_ => Simulate(peers, rounds));
            var each = seconds * 1e6 / ((double)(peers + Validators) * rounds);
            rows.Add((peers, seconds, each));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{peers,6}  {seconds,9:F2}  {each,25:F0}  {each / Math.Log2(peers),29:F1}"));
        }

        if (options.Plot is { } plot)
        {
            File.WriteAllText(plot, SimulationPlot.Draw([.. rows.Select(row => (row.Peers, row.Each))], Validators, rounds));
        }

        if (options.Json)
        {
            var points = rows.Select(row => string.Create(
                CultureInfo.InvariantCulture, $"{{\"peers\":{row.Peers},\"seconds\":{row.Seconds:F3},\"microsecondsPerNodeAndRound\":{row.Each:F1}}}"));
            output.WriteLine($"{{\"rounds\":{rounds},\"validators\":{Validators},\"points\":[{string.Join(',', points)}]}}");
        }

        return 0;
    }

    private static double Simulate(int peers, int rounds)
    {
        var scenario = Simulator.Draw(1, new SimulationOptions { Peers = peers, Validators = Validators, Rounds = rounds, Faults = [], Adversaries = [] });
        var clock = Stopwatch.StartNew();
        var result = Simulator.Run(scenario);
        return result.Held ? clock.Elapsed.TotalSeconds : throw new InvalidOperationException($"a swarm of {peers} did not hold: {result.Fault}");
    }
}
