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
    private const int Peers = 4;
    private const long DefaultElements = 64L << 20;
    private const long QuickElements = 2L << 20;

    /// <summary>The benchmark as it is listed.</summary>
    public static Benchmark Entry { get; } = new("sparse", "encoding, coding and combining updates, beside copy bandwidth", Run);

    /// <summary>Runs it over one matrix of 4096 columns (Elements in all, 64 Mi if 0).</summary>
    /// <param name="options">Threads, Quick, Json and Elements are used.</param>
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
        private readonly FloatBuffer _error, _delta, _sum;
        private readonly List<string> _json = [];
        private double _copyBytesPerSecond;

        public Session(ChunkGrid grid, BenchmarkOptions options, TextWriter output)
        {
            (_grid, _options, _output) = (grid, options, output);
            _pool = new WorkPool(options.Threads);
            var length = (int)grid.ElementCount;
            (_error, _delta, _sum) = (new FloatBuffer(length), new FloatBuffer(length), new FloatBuffer(length));
        }

        public void Run()
        {
            _output.WriteLine($"sparse update, {_grid.ElementCount / 1e6:F1} M elements, {_grid.ValueCount / 1e6:F2} M values sent, "
                + $"{_grid.UpdateBytes / 1e6:F2} MB ({4.0 * _grid.ElementCount / _grid.UpdateBytes:F1} times less than fp32), {_options.Threads} thread(s)");
            Fill(_error, 1);
            Fill(_delta, 2);
            MeasureCopy();
            var updates = MeasureEncode();
            MeasureCodec(updates[0]);
            MeasureAggregate(updates);
        }

        public void Dispose()
        {
            _error.Dispose();
            _delta.Dispose();
            _sum.Dispose();
            _pool.Dispose();
        }

        private void MeasureCopy()
        {
            var copy = new CopyBands(_delta, _sum);
            var seconds = Time(() => _pool.Run(ref copy, copy.Count));
            _copyBytesPerSecond = 8.0 * _grid.ElementCount / seconds;
            Report("copy", seconds, _grid.ElementCount, "elements", $"{_copyBytesPerSecond / 1e9:F1} GB/s read and written: the bound below");
        }

        private SparseUpdate[] MeasureEncode()
        {
            var encoder = new SparseEncoder(_grid, SparseEncoder.PublishedDecay, _pool);
            var updates = new SparseUpdate[Peers];
            SparseUpdate? update = null;
            var seconds = Time(() => Invariant.Check(encoder.TryEncode(
                Digest.Zero, default, default, _error.Span, _delta.Span, _error.Span, out update, out _)));
            ReportBound("encode (feedback, top-k, quantise)", seconds, _grid.ElementCount, "elements", 12.0 * _grid.ElementCount);
            seconds = Time(() => ErrorFeedback.Settle(update!, [1f], _error.Span));
            Report("settle", seconds, _grid.ValueCount, "values", "");
            for (var peer = 0; peer < Peers; peer++)
            {
                Fill(_error, 100 + peer);
                Fill(_delta, 200 + peer);
                Invariant.Check(encoder.TryEncode(
                    Digest.Zero, default, new Uid(peer), _error.Span, _delta.Span, _error.Span, out update, out _));
                updates[peer] = update!;
            }

            return updates;
        }

        private void MeasureCodec(SparseUpdate update)
        {
            var bytes = SparseUpdateCodec.Encode(update);
            Report("to bytes", Time(() => bytes = SparseUpdateCodec.Encode(update)), _grid.ValueCount, "values", "");
            Report("from bytes, with every check", Time(() => Invariant.Check(
                SparseUpdateCodec.TryDecode(bytes, _grid, Digest.Zero, update.Round, update.Uid, out _, out _))), _grid.ValueCount, "values", "");
            _output.WriteLine($"  checksum of the bytes {Digest.Of(bytes).Short}");
        }

        private void MeasureAggregate(SparseUpdate[] updates)
        {
            Contribution[] contributions = [.. updates.Select(update => new Contribution(update, 1))];
            foreach (var rule in new[] { AggregationRule.Mean, AggregationRule.MeanOfSelectors })
            {
                using var aggregator = new Aggregator(_grid, rule, clip: true, _pool);
                var checksum = "";
                var seconds = Time(() => aggregator.Aggregate(contributions, (_, _) => { }));
                aggregator.Aggregate(contributions, (_, mean) => checksum = Digest.Of(System.Runtime.InteropServices.MemoryMarshal.AsBytes(mean[..Cols])).Short);
                ReportBound($"aggregate {Peers} updates, {rule}", seconds, Peers * _grid.ValueCount, "values", 4.0 * _grid.ElementCount);
                _output.WriteLine($"  checksum of the first row {checksum}");
            }

            Overlap overlap = default;
            Report("overlap of two", Time(() => overlap = Overlap.Between(updates[0], updates[1])), _grid.ValueCount, "values", "");
            _output.WriteLine($"  shared {overlap.Shared} of {overlap.Total}");
            if (_options.Json)
            {
                _output.WriteLine("{" + string.Join(",", _json) + "}");
            }
        }

        private void ReportBound(string what, double seconds, long items, string unit, double bytes)
        {
            var bound = bytes / _copyBytesPerSecond;
            Report(what, seconds, items, unit, $"{100 * bound / seconds:F0} % of what copying as many bytes would allow");
        }

        private void Report(string what, double seconds, long items, string unit, string remark)
        {
            _output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{what,-40} {seconds * 1e3,9:F2} ms {items / seconds / 1e6,9:F0} M {unit}/s  {remark}"));
            _json.Add(string.Create(CultureInfo.InvariantCulture, $"\"{what}\":{seconds:E4}"));
        }

        /// <summary>Median of the runs, in seconds: processor time with one thread, so that a busy machine disturbs less, else time on the
        /// wall.</summary>
        private double Time(Action action)
        {
            action();
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
