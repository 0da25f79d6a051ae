using System.Diagnostics;

namespace Cairn.Bench;

/// <summary>Time of a benchmark: of the processor for one thread (what others do on the machine does not count), of the wall for several.</summary>
internal static class BenchClock
{
    /// <summary>Seconds that an action takes.</summary>
    /// <param name="threads">How many threads it works with.</param>
    /// <param name="action">The action.</param>
    public static double Seconds(int threads, Action action)
    {
        if (threads == 1)
        {
            var before = Environment.CpuUsage.TotalTime;
            action();
            return (Environment.CpuUsage.TotalTime - before).TotalSeconds;
        }

        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>The name of the clock, for reports.</summary>
    public static string Name(int threads) => threads == 1 ? "processor" : "wall";

    /// <summary>The middle one.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }
}
