using System.Diagnostics;
using System.Globalization;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Sparse;

namespace Cairn.Bench;

/// <summary>Speed of compressing, coding and combining updates, beside the copy bandwidth that bounds it: encoding moves 12 bytes per element,
/// aggregating writes 4.</summary>
public static class SparseBenchmark
{
    private const int Cols = 4096;
    private const int Peers = 20;
    private const long DefaultElements = 100_000_000;
    private const long QuickElements = 1L << 20;

    // As much of an update as its places and values leave in a first- and second-level cache.
    private const int CachedChunks = 256;

    /// <summary>The benchmark as it is listed.</summary>
    public static Benchmark Entry { get; } = new("sparse", "compressing, coding and combining updates, beside copy bandwidth", Run);

    /// <summary>Runs it over one matrix of 4096 columns (Elements in all, 100 M if 0).</summary>
    /// <param name="options">Threads, Quick, Json, Against and Elements are used.</param>
    /// <param name="output">Takes the report.</param>
    /// <returns>0.</returns>
    public static int Run(BenchmarkOptions options, TextWriter output)
    {
        var elements = options.Elements > 0 ? options.Elements : options.Quick ? QuickElements : DefaultElements;
        var rows = (int)Math.Max(64, elements / Cols / 64 * 64);
        var grid = new ChunkGrid([new TensorSpec("matrix", rows, Cols, 0)]);
        using var bench = new Session(grid, options, output);
        bench.Run();
        return 0;
    }

    private sealed class Session : IDisposable
    {
        private readonly ChunkGrid _grid;
        private readonly BenchmarkOptions _options;
        private readonly TextWriter _output;
        private readonly WorkPool _pool;
        private readonly FloatBuffer _error, _delta;
        private readonly SparseUpdateCodec _fast, _small;
        private double _copyBytesPerSecond;

        public Session(ChunkGrid grid, BenchmarkOptions options, TextWriter output)
        {
            (_grid, _options, _output) = (grid, options, output);
            _pool = new WorkPool(options.Threads);
            (_error, _delta) = (new FloatBuffer((int)grid.ElementCount), new FloatBuffer((int)grid.ElementCount));
            (_fast, _small) = (Codec(grid, WireMode.Fast), Codec(grid, WireMode.Small));
        }

        public void Run()
        {
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"sparse updates of {_grid.ElementCount / 1e6:F1} M elements, {_grid.ValueCount / 1e6:F2} M values each, {_options.Threads} thread(s)"));
            Fill(_error, 1);
            Fill(_delta, 2);
            MeasureCopy();
            var (encode, update) = MeasureEncode();
            MeasureAgainstTorch(encode);
            var (decodeFast, decodeSmall) = (MeasureDecode(WireMode.Fast), MeasureDecode(WireMode.Small));
            var (bitsFast, bitsSmall) = (MeasureBits(_fast, update), MeasureBits(_small, update));
            var aggregate = MeasureAggregate();
            if (_options.Json)
            {
                _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{{\"encodeMelemPerSecond\":{encode / 1e6:F1},\"copyFloorMelemPerSecond\":{_copyBytesPerSecond / 12e6:F1},\"decodeMvalPerSecond\":{decodeFast / 1e6:F1},"
                    + $"\"decodeSmallMvalPerSecond\":{decodeSmall / 1e6:F1},\"aggregateSeconds\":{aggregate:F4},"
                    + $"\"bitsPerValueFast\":{bitsFast:F4},\"bitsPerValueSmall\":{bitsSmall:F4}}}"));
            }
        }

        public void Dispose()
        {
            _error.Dispose();
            _delta.Dispose();
            _pool.Dispose();
        }

        private static SparseUpdateCodec Codec(ChunkGrid grid, WireMode mode) => new(grid, UpdateFormat.Default with { Mode = mode });

        private void MeasureCopy()
        {
            var copy = new CopyBands(_delta, _error);
            var seconds = Time(() => _pool.Run(ref copy, copy.Count));
            _copyBytesPerSecond = 8.0 * _grid.ElementCount / seconds;
            Fill(_error, 1);
            Report("copy", seconds, _grid.ElementCount, "elements", string.Create(CultureInfo.InvariantCulture,
                $"{_copyBytesPerSecond / 1e9:F1} GB/s read and written: at 12 bytes an element, {_copyBytesPerSecond / 12e6:F0} M/s is the floor"));
        }

        private (double PerSecond, SparseUpdate Update) MeasureEncode()
        {
            var encoder = new SparseEncoder(_grid, _fast.Format.Quantizer, SparseEncoder.PublishedDecay, _pool);
            SparseUpdate? update = null;
            byte[] bytes = [];
            void Encode() => Invariant.Check(encoder.TryEncode(Digest.Zero, default, default, _error.Span, _delta.Span, _error.Span, out update, out _));
            Report("  of it, feedback, top-k, quantise", Time(Encode), _grid.ElementCount, "elements", "");
            Report("  of it, to bytes, fast", Time(() => bytes = _fast.Encode(update!)), _grid.ValueCount, "values", "");
            Report("  (instead, to bytes, small)", Time(() => _small.Encode(update!)), _grid.ValueCount, "values", "");
            var seconds = Time(() =>
            {
                Encode();
                bytes = _fast.Encode(update!);
            });
            var floor = 12.0 * _grid.ElementCount / _copyBytesPerSecond;
            Report("feedback, top-k, quantise, to bytes", seconds, _grid.ElementCount, "elements", $"{100 * floor / seconds:F0} % of the floor");
            _output.WriteLine($"  checksum of the bytes {Digest.Of(bytes).Short}");
            return (_grid.ElementCount / seconds, update!);
        }

        private void MeasureAgainstTorch(double perSecond)
        {
            if (_options.Against == "torch")
            {
                _output.WriteLine(TorchTopK.TryMeasure(_grid.ElementCount, _options.Threads) is { } torch
                    ? string.Create(CultureInfo.InvariantCulture, $"{torch.Name,-40} {torch.PerSecond / 1e6,22:F0} M elements/s  ours is {perSecond / torch.PerSecond:F1} times as fast")
                    : "torch is not here: apt install python3-torch");
            }
        }

        // A section that stays in the caches, over and over: places to one buffer, values to another, every check included.
        private double MeasureDecode(WireMode mode)
        {
            var grid = new ChunkGrid([new TensorSpec("cached", 64, 64 * CachedChunks, 0)]);
            var codec = Codec(grid, mode);
            using var error = new FloatBuffer((int)grid.ElementCount);
            Fill(error, 3);
            Invariant.Check(new SparseEncoder(grid, codec.Format.Quantizer).TryEncode(
                Digest.Zero, default, default, error.Span, error.Span, error.Span, out var update, out _));
            var section = codec.Encode(update!).AsMemory(SparseUpdateCodec.HeaderBytes + (mode == WireMode.Small ? 4 : 0));
            var (indices, values, times) = (new ushort[TopK.KeepMax * CachedChunks], new float[grid.ValueCount], _options.Quick ? 20 : 2000);
            var seconds = Time(() =>
            {
                for (var i = 0; i < times; i++)
                {
                    if (mode == WireMode.Fast)
                    {
                        Invariant.Check(codec.TryOpenTensor(section.Span, 0, out var opened, out _));
                        for (var chunk = 0; chunk < CachedChunks; chunk++)
                        {
                            Invariant.Check(opened.TryRead(
                                chunk, indices.AsSpan(chunk * TopK.KeepMax, TopK.KeepMax), values.AsSpan(chunk * TopK.KeepMax, TopK.KeepMax)));
                        }
                    }
                    else
                    {
                        Invariant.Check(codec.TryDecodeTensor(section.Span, 0, out var tensor, out _));
                        tensor!.CopyValuesTo(values);
                    }
                }
            });
            Report($"from bytes to places and values, {mode.ToString().ToLowerInvariant()}", seconds, times * grid.ValueCount, "values", "one thread, in cache, every check");
            return times * grid.ValueCount / seconds;
        }

        private double MeasureBits(SparseUpdateCodec codec, SparseUpdate update)
        {
            var bytes = codec.Encode(update).Length;
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{codec.Format.Mode.ToString().ToLowerInvariant(),-40} {8.0 * bytes / _grid.ValueCount,9:F3} bits per value sent, {4.0 * _grid.ElementCount / bytes:F1} times less than fp32"));
            return 8.0 * bytes / _grid.ValueCount;
        }

        private double MeasureAggregate()
        {
            var encoder = new SparseEncoder(_grid, _fast.Format.Quantizer, SparseEncoder.PublishedDecay, _pool);
            var contributions = new Contribution[Peers];
            for (var peer = 0; peer < Peers; peer++)
            {
                Fill(_delta, 200 + peer);
                _error.Span.Clear();
                Invariant.Check(encoder.TryEncode(Digest.Zero, default, new Uid(peer), _error.Span, _delta.Span, _error.Span, out var update, out _));
                contributions[peer] = new Contribution(update!, 1);
            }

            var mean = 0.0;
            foreach (var rule in Enum.GetValues<AggregationRule>())
            {
                var tolerated = rule is AggregationRule.Support or AggregationRule.TrimmedMean ? 2 : 0;
                using var aggregator = new Aggregator(_grid, new Aggregation(rule, Clip: true, tolerated), _pool);
                var checksum = "";
                var seconds = Time(() => aggregator.Aggregate(contributions, (_, _, _) => { }));
                aggregator.Aggregate(
                    contributions, (_, m, _) => checksum = Digest.Of(System.Runtime.InteropServices.MemoryMarshal.AsBytes(m[..Cols])).Short);
                Report($"aggregate {Peers} updates, {rule}", seconds, Peers * _grid.ValueCount, "values", $"checksum of the first row {checksum}");
                mean = rule == AggregationRule.Mean ? seconds : mean;
            }

            return mean;
        }

        private void Report(string what, double seconds, long items, string unit, string remark) =>
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{what,-40} {seconds * 1e3,9:F2} ms {items / seconds / 1e6,9:F0} M {unit}/s  {remark}"));

        /// <summary>Median of the runs, in seconds: processor time with one thread, so that a busy machine disturbs less, else time on the
        /// wall.</summary>
        private double Time(Action action)
        {
            // Until the runtime has put its best code in place.
            var warm = Stopwatch.StartNew();
            do
            {
                action();
            }
            while (!_options.Quick && warm.ElapsedMilliseconds < 400);

            var times = new double[_options.Quick ? 3 : 9];
            for (var i = 0; i < times.Length; i++)
            {
                var start = Now();
                action();
                times[i] = Now() - start;
            }

            Array.Sort(times);
            return times[times.Length / 2];
        }

        private double Now() => _options.Threads == 1
            ? Environment.CpuUsage.TotalTime.TotalSeconds
            : Stopwatch.GetTimestamp() / (double)Stopwatch.Frequency;

        private void Fill(FloatBuffer buffer, long index)
        {
            // Cubed sums of uniform numbers: heavier tails than normal, as pseudo-gradients have.
            var bits = new SeededRandom(1, "bench", index).NextUInt64() | 1;
            var span = buffer.Span;
            for (var i = 0; i < span.Length; i++)
            {
                bits ^= bits << 13;
                bits ^= bits >> 7;
                bits ^= bits << 17;
                var sum = ((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48)) / 65536f - 2f;
                span[i] = sum * sum * sum * 1e-3f;
            }
        }
    }

    private readonly struct CopyBands(FloatBuffer source, FloatBuffer target) : IWork
    {
        private const int Band = 1 << 16;

        public int Count => (source.Length + Band - 1) / Band;

        public void Run(int item, int worker)
        {
            var start = item * Band;
            var length = Math.Min(Band, source.Length - start);
            source.Slice(start, length).CopyTo(target.Slice(start, length));
        }
    }
}
