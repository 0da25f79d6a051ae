using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Bench;

/// <summary>Whole training steps (forward, backward, clipping, AdamW): tokens a second, and the part of the machine's peak that does the
/// model's arithmetic (MFU).</summary>
public static class TrainBenchmark
{
    private const int DisturbedSteps = 200;
    private const double RoundSeconds = 0.7;

    /// <summary>The benchmark, for the list.</summary>
    public static Benchmark Entry { get; } = new(
        "train", "Training steps per second and MFU, alone, beside torch (--against torch) or beside a busy process (--disturbed).", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var shape = TrainShape.Get(options.Shape ?? (options.Quick || options.Disturbed ? "nano" : "A"));
        using var ours = new TrainWorkload(shape, options.Threads, PrecisionOf(options));
        ours.Step(2);
        output.WriteLine(
            $"train {shape.Name}: {shape.Model.ParameterCount:N0} parameters, batch {shape.Batch} × {shape.Length}, {options.Threads} thread(s), "
            + $"{options.Precision}, {shape.Model.FlopsPerToken(shape.Length) / 1e6:F1} MFLOP per token");
        return options.Disturbed ? Disturbed(ours, options, output) : Measure(ours, options, output);
    }

    private static int Measure(TrainWorkload ours, BenchmarkOptions options, TextWriter output)
    {
        var bf16 = PrecisionOf(options) == MatMulPrecision.Bf16;
        using var torch = options.Against == "torch" ? TorchPeer.TryStart(ours.Shape, options.Threads, bf16) : null;
        if (options.Against == "torch" && torch is null)
        {
            output.WriteLine("no Python with torch on this machine: measuring alone");
        }

        var rounds = options.Quick ? 2 : 7;
        var first = Seconds(ours, 1, options.Threads);
        var steps = options.Quick ? 1 : Math.Max(1, (int)Math.Ceiling(RoundSeconds / first));
        torch?.Step(1);
        var (own, peer, peaks) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            peaks.Add(PeakGflops());
            own.Add(steps * ours.TokensPerStep / Seconds(ours, steps, options.Threads));
            if (torch is not null)
            {
                peer.Add(steps * ours.TokensPerStep / torch.Step(steps));
                output.WriteLine(
                    $"pair {round + 1}: cairn {own[^1],8:F0} tokens/s, {torch.Version} {peer[^1],8:F0} tokens/s, ratio {own[^1] / peer[^1]:F3}");
            }
        }

        Report(ours, options, output, own, peer, peaks.Max());
        return 0;
    }

    private static void Report(TrainWorkload ours, BenchmarkOptions options, TextWriter output, List<double> own, List<double> peer, double peak)
    {
        var flops = ours.Shape.Model.FlopsPerToken(ours.Shape.Length);
        var speed = BenchClock.Median(own);
        var mfu = speed * flops / 1e9 / (peak * options.Threads);
        var ratio = peer.Count == 0 ? (double?)null : BenchClock.Median(own.Zip(peer, (a, b) => a / b));
        output.WriteLine(
            $"cairn: {speed:F0} tokens/s (median; best {own.Max():F0}), {speed * flops / 1e9:F0} GFLOP/s, "
            + $"MFU {mfu:P1} of {peak:F0} GFLOP/s per thread (fp32); "
            + $"time is {BenchClock.Name(options.Threads)} time; loss {ours.Loss.ToString("R", CultureInfo.InvariantCulture)}");
        if (ratio is not null)
        {
            output.WriteLine($"torch: {BenchClock.Median(peer):F0} tokens/s (median; best {peer.Max():F0}); median ratio {ratio:F3}");
        }

        if (options.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                benchmark = "train",
                shape = ours.Shape.Name,
                threads = options.Threads,
                precision = options.Precision,
                tokensPerSecond = speed,
                mfu,
                peakGflops = peak,
                torchTokensPerSecond = peer.Count == 0 ? (double?)null : BenchClock.Median(peer),
                ratio,
            }));
        }
    }

    private static int Disturbed(TrainWorkload ours, BenchmarkOptions options, TextWriter output)
    {
        var steps = options.Quick ? 10 : DisturbedSteps;
        var alone = StepTimes(ours, steps);
        double[] beside;
        using (var busy = StartBusyProcess())
        {
            try
            {
                beside = StepTimes(ours, steps);
            }
            finally
            {
                busy.Kill();
                busy.WaitForExit();
            }
        }

        var median = alone[steps / 2];
        void Line(string name, double[] times) => output.WriteLine(
            $"{name}: median {times[steps / 2] * 1e3:F2} ms, "
            + $"p95 {times[steps * 95 / 100] / median:F2}×, worst {times[^1] / median:F2}× the undisturbed median");
        Line("alone", alone);
        Line("beside a busy process", beside);
        if (options.Json)
        {
            output.WriteLine(JsonSerializer.Serialize(new
            {
                benchmark = "train-disturbed",
                shape = ours.Shape.Name,
                threads = options.Threads,
                medianSeconds = median,
                aloneP95 = alone[steps * 95 / 100] / median,
                aloneWorst = alone[^1] / median,
                disturbedMedian = beside[steps / 2] / median,
                disturbedP95 = beside[steps * 95 / 100] / median,
                disturbedWorst = beside[^1] / median,
            }));
        }

        return 0;
    }

    private static MatMulPrecision PrecisionOf(BenchmarkOptions options) => options.Precision switch
    {
        "fp32" => MatMulPrecision.Fp32,
        "bf16" when CpuKernels.HasBf16 => MatMulPrecision.Bf16,
        "bf16" => throw new InputException("this processor has no bf16 products; leave --precision out"),
        _ => throw new InputException($"there is no precision '{options.Precision}'; choose fp32 or bf16"),
    };

    private static double[] StepTimes(TrainWorkload ours, int steps)
    {
        var times = new double[steps];
        for (var i = 0; i < steps; i++)
        {
            var start = Stopwatch.GetTimestamp();
            ours.Step(1);
            times[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        Array.Sort(times);
        return times;
    }

    private static Process StartBusyProcess() => Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "while :; do :; done"]))
        ?? throw new InputException("a busy process could not be started; the disturbed run needs /bin/sh");

    private static double Seconds(TrainWorkload ours, int steps, int threads) => BenchClock.Seconds(threads, () => ours.Step(steps));

    // Of one core, in processor time, however many threads train: the bound does not suffer from neighbours.
    private static double PeakGflops()
    {
        var peak = default(FmaPeak);
        var seconds = BenchClock.Seconds(1, () =>
        {
            for (var item = 0; item < FmaPeak.ItemsPerThread; item++)
            {
                peak.Run(item, 0);
            }
        });
        return FmaPeak.ItemsPerThread * FmaPeak.OperationsPerItem / seconds / 1e9;
    }
}
