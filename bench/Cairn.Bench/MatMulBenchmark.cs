using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Bench;

/// <summary>Matrix products against the fused multiply-add peak, measured in the same rounds: what disturbs one disturbs the other.</summary>
public static class MatMulBenchmark
{
    /// <summary>How the benchmark is listed.</summary>
    public static Benchmark Entry { get; } = new(
        "matmul", "Matrix products of training in GFLOP/s and percent of the fused multiply-add peak measured beside them.", Run);

    private static int Run(BenchmarkOptions options, TextWriter output)
    {
        var precision = Precision(options.Precision);
        using var kernels = new CpuKernels(options.Threads, precision);
        using var pool = new WorkPool(options.Threads);
        var shapes = MatMulShape.All.Where(shape => options.Shape is null || shape.Name.Contains(options.Shape, StringComparison.OrdinalIgnoreCase));
        if (options.Quick)
        {
            shapes = shapes.Where(shape => shape.Operations < 1e9);
        }

        output.WriteLine($"{precision}, {options.Threads} thread(s), {BenchClock.Name(options.Threads)} time, medians of {Rounds(options)} rounds");
        output.WriteLine($"{"product",-44} {"GFLOP/s",9} {"best",9} {"peak",9} {"of peak",8}  bits");
        var results = new List<Result>();
        using var checksum = new Hasher("cairn/bench/matmul");
        foreach (var shape in shapes)
        {
            var result = Measure(shape, kernels, pool, options);
            checksum.Append(result.Bits);
            results.Add(result);
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{shape.Name,-44} {result.Median,9:F1} {result.Best,9:F1} {result.Peak,9:F1} {result.Median / result.Peak,8:P0}  {result.Bits.Short}"));
        }

        var all = checksum.Finish();
        output.WriteLine($"checksum {all}: {(precision == MatMulPrecision.Fp32 ? "the same for any number of threads and any vector width" : "of this machine only")}");
        if (options.Json)
        {
            output.WriteLine(Json(options, results, all));
        }

        return 0;
    }

    private static MatMulPrecision Precision(string name) => name switch
    {
        "fp32" => MatMulPrecision.Fp32,
        "bf16" when CpuKernels.HasBf16 => MatMulPrecision.Bf16,
        "bf16" => throw new InputException("--precision bf16 needs x64 Linux, a processor with AVX-512 BF16 and executable memory: use fp32 here."),
        _ => throw new InputException($"--precision is '{name}': it must be fp32 or bf16."),
    };

    private static int Rounds(BenchmarkOptions options) => options.Quick ? 1 : 9;

    private static Result Measure(MatMulShape shape, CpuKernels kernels, WorkPool pool, BenchmarkOptions options)
    {
        using var left = Filled("left", shape.M * shape.K);
        using var right = Filled("right", shape.N * shape.K);
        using var product = new FloatBuffer(shape.M * shape.N);
        var repeats = options.Quick ? 1 : (int)Math.Max(1, 1.5e9 * options.Threads / shape.Operations);
        var peakItems = options.Quick ? options.Threads : options.Threads * FmaPeak.ItemsPerThread;
        var (speeds, peaks) = (new List<double>(), new List<double>());
        shape.Run(kernels, left.Span, right.Span, product.Span);
        for (var round = 0; round < Rounds(options); round++)
        {
            var peak = default(FmaPeak);
            peaks.Add(peakItems * FmaPeak.OperationsPerItem / BenchClock.Seconds(options.Threads, () => pool.Run(ref peak, peakItems)) / 1e9);
            speeds.Add(repeats * shape.Operations / 1e9 / BenchClock.Seconds(options.Threads, () =>
            {
                for (var repeat = 0; repeat < repeats; repeat++)
                {
                    shape.Run(kernels, left.Span, right.Span, product.Span);
                }
            }));
        }

        return new Result(
            shape, BenchClock.Median(speeds), speeds.Max(), BenchClock.Median(peaks), Digest.Of(MemoryMarshal.AsBytes(product.Span)));
    }

    private static FloatBuffer Filled(string purpose, int length)
    {
        var random = new SeededRandom(1, "bench/matmul/" + purpose);
        var buffer = new FloatBuffer(length);
        foreach (ref var number in buffer.Span)
        {
            number = ((float)(random.NextUInt64() >> 40) / (1 << 23)) - 1f;
        }

        return buffer;
    }

    private static string Json(BenchmarkOptions options, IEnumerable<Result> results, Digest checksum)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("benchmark", "matmul");
            json.WriteString("precision", options.Precision);
            json.WriteNumber("threads", options.Threads);
            json.WriteString("clock", BenchClock.Name(options.Threads));
            json.WriteString("checksum", checksum.ToString());
            json.WriteStartArray("products");
            foreach (var result in results)
            {
                json.WriteStartObject();
                json.WriteString("name", result.Shape.Name);
                json.WriteNumber("gflops", Math.Round(result.Median, 1));
                json.WriteNumber("bestGflops", Math.Round(result.Best, 1));
                json.WriteNumber("peakGflops", Math.Round(result.Peak, 1));
                json.WriteNumber("percentOfPeak", Math.Round(100 * result.Median / result.Peak, 1));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private sealed record Result(MatMulShape Shape, double Median, double Best, double Peak, Digest Bits);
}
