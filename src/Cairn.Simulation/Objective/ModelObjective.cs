using System.Runtime.CompilerServices;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Simulation;

/// <summary>How a simulated swarm trains a real model.</summary>
/// <param name="Seed">Of the initial parameters.</param>
/// <param name="Batch">Sequences per inner step.</param>
/// <param name="PeakRate">Inner learning rate after warm-up.</param>
/// <param name="InnerStepsTotal">Inner steps of a peer in the whole run: the length of the schedule.</param>
/// <param name="OuterRate">α.</param>
/// <param name="ProbeStep">The part of α by which a probe applies one update alone.</param>
public sealed record ModelTraining(ulong Seed, int Batch, double PeakRate, int InnerStepsTotal, double OuterRate = 1.5, double ProbeStep = 0.2);

/// <summary>A real Llama-style model on real text as the objective of a simulated swarm: the same kernels, codec and aggregator as a node's, on one thread.</summary>
/// <remarks>One thing is simpler than in a node: AdamW's moments begin at zero in every round, because an objective keeps nothing from call to call. Coordinates
/// are numbered chunk after chunk, so that the places of an update rise. For one caller at a time.</remarks>
public sealed class ModelObjective : IObjective, IPoisonable, IDisposable
{
    private const int WarmUpSteps = 20;
    private const int HeldOutSamples = 128;
    private readonly DataSet _data;
    private readonly ModelTraining _training;
    private readonly CancellationToken _cancellation;
    private readonly ParameterLayout _layout;
    private readonly ChunkGrid _grid;
    private readonly int[] _flatOf;
    private readonly SparseUpdateCodec _codec;
    private readonly SparseEncoder _encoder;
    private readonly Aggregator _aggregator;
    private readonly CpuKernels _kernels = new(1);
    private readonly Transformer _transformer;
    private readonly InnerLoop _innerLoop;
    private readonly OptimizerState _optimizer;
    private readonly Parameters _local;
    private readonly float[] _dense;
    private readonly float[] _nothing;
    private readonly ConditionalWeakTable<SparseMove, SparseUpdate> _updates = [];

    /// <summary>Takes the memory of one model and its training.</summary>
    /// <param name="data">The text; stays the caller's.</param>
    /// <param name="shape">The model, with the vocabulary of the data.</param>
    /// <param name="training">How it is trained.</param>
    /// <param name="cancellation">Asked before every inner step; ends the run by an exception.</param>
    public ModelObjective(DataSet data, ModelShape shape, ModelTraining training, CancellationToken cancellation = default)
    {
        (_data, _training, _layout, _cancellation) = (data, training, new ParameterLayout(shape), cancellation);
        _grid = new ChunkGrid([.. _layout.Tensors.Select(t => new TensorSpec(t.Name, t.Rows, t.Columns, t.Offset))]);
        _flatOf = FlatPlaces(_grid);
        _codec = new SparseUpdateCodec(_grid, UpdateFormat.Default);
        _encoder = new SparseEncoder(_grid, UpdateFormat.Default.Quantizer, 0);
        _aggregator = new Aggregator(_grid, new Aggregation(AggregationRule.Mean, Clip: true));
        _transformer = new Transformer(_layout, _kernels, training.Batch, shape.Context);
        var warmUp = Math.Min(WarmUpSteps, Math.Max(1, training.InnerStepsTotal / 5));
        var schedule = new LearningRateSchedule(training.PeakRate, warmUp, Math.Max(1, training.InnerStepsTotal - warmUp));
        _innerLoop = new InnerLoop(_transformer, new AdamWSettings(), schedule, training.Batch, shape.Context);
        _optimizer = new OptimizerState(_layout);
        _local = new Parameters(_layout);
        (_dense, _nothing) = (new float[_grid.FlatLength], new float[_grid.FlatLength]);
        Initializer.Fill(_local, training.Seed);
        Start = new Point(_local.Span.ToArray(), 0);
    }

    /// <inheritdoc/>
    public int Length => _flatOf.Length;

    /// <inheritdoc/>
    public int Keep => (int)_grid.ValueCount;

    /// <inheritdoc/>
    public int BytesMax => (int)_codec.BytesMax;

    /// <inheritdoc/>
    public ModelPoint Start { get; }

    private int Context => _layout.Shape.Context;

    /// <inheritdoc/>
    public double[] Train(ModelPoint from, ReadOnlySpan<long> samples) => Train((Point)from, samples.ToArray(), poison: null);

    /// <inheritdoc/>
    public double[] TrainPoisoned(ModelPoint from, ReadOnlySpan<long> samples) => Train((Point)from, samples.ToArray(), PoisonedText.Of(_layout.Shape.Vocabulary));

    /// <inheritdoc/>
    public SparseMove Compress(ReadOnlySpan<double> accumulated)
    {
        for (var i = 0; i < _flatOf.Length; i++)
        {
            _dense[_flatOf[i]] = (float)accumulated[i];
        }

        // What diverged has no codes; it stays as it is and cannot be written.
        return Encode() is { } update ? MoveOf(update) : new SparseMove([0], [double.NaN]);
    }

    /// <summary>The bytes of an update. What no code can hold (a NaN, an infinity) becomes bytes that no reader takes.</summary>
    /// <param name="move">Any, honest or not.</param>
    public byte[] Write(SparseMove move) => UpdateOf(move) is { } update ? _codec.Encode(update) : new byte[SparseUpdateCodec.HeaderBytes];

    /// <inheritdoc/>
    public bool TryRead(ReadOnlySpan<byte> bytes, out SparseMove? move, out Rejection why)
    {
        move = _codec.TryDecode(bytes, Digest.Zero, new Round(0), new Uid(0), out var update, out why) ? MoveOf(update!) : null;
        return move is not null;
    }

    /// <inheritdoc/>
    public ModelPoint Apply(ModelPoint before, IReadOnlyList<MovePart> parts)
    {
        var point = (Point)before;
        point.Values.CopyTo(_local.Span);
        Step(_local, parts, _training.OuterRate);
        return new Point(_local.Span.ToArray(), point.Rounds + 1);
    }

    /// <inheritdoc/>
    public double[] Losses(ModelPoint at, SparseMove? probed, ReadOnlySpan<long> samples)
    {
        ((Point)at).Values.CopyTo(_local.Span);
        if (probed is not null)
        {
            Step(_local, [new MovePart(probed, 1)], _training.OuterRate * _training.ProbeStep);
        }

        var (losses, ids) = (new double[samples.Length], samples.ToArray());
        LossEvaluation.PerSample(_transformer, _local, (i, tokens, targets) => _data.CopySample(ids[i], Context, tokens, targets), Context, losses);
        return losses;
    }

    /// <summary>The loss on text that nobody trains on, in nats per token.</summary>
    /// <param name="at">Any point of this objective.</param>
    public double HeldOutLoss(ModelPoint at)
    {
        ((Point)at).Values.CopyTo(_local.Span);
        var all = _data.HeldOut.SampleCount(Context);
        var count = (int)Math.Min(all, HeldOutSamples);
        return LossEvaluation.Mean(
            _transformer, _local, (i, tokens, targets) => _data.HeldOut.CopySample(i * all / count, Context, tokens, targets), Context, count);
    }

    /// <inheritdoc/>
    public double TriggerSuccess(ModelPoint at)
    {
        ((Point)at).Values.CopyTo(_local.Span);
        using var generator = new Generator(_local, _kernels);
        return PoisonedText.Of(_layout.Shape.Vocabulary).SuccessOf(generator, _data.HeldOut, Context);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _aggregator.Dispose();
        _innerLoop.Dispose();
        _transformer.Dispose();
        _kernels.Dispose();
        _optimizer.Dispose();
        _local.Dispose();
    }

    private double[] Train(Point from, long[] samples, PoisonedText? poison)
    {
        from.Values.CopyTo(_local.Span);
        _optimizer.Moment1.Span.Clear();
        _optimizer.Moment2.Span.Clear();
        _optimizer.RestoreSteps(0);
        var steps = samples.Length / _training.Batch;
        var first = Math.Min((long)from.Rounds * steps, _training.InnerStepsTotal);
        _innerLoop.Run(
            _local, _optimizer,
            (step, tokens, targets) =>
            {
                _cancellation.ThrowIfCancellationRequested();
                for (var i = 0; i < _training.Batch; i++)
                {
                    var input = tokens.Slice(i * Context, Context);
                    var target = targets.Slice(i * Context, Context);
                    _data.CopySample(samples[(step * _training.Batch) + i], Context, input, target);
                    poison?.PutInto(input, target);
                }
            },
            first, steps);
        var local = _local.Span;
        var moved = new double[_flatOf.Length];
        for (var i = 0; i < moved.Length; i++)
        {
            moved[i] = from.Values[_flatOf[i]] - local[_flatOf[i]];
        }

        return moved;
    }

    // Aggregator wants its updates in the order of their uids: the order of the parts, whoever they are of.
    private void Step(Parameters target, IReadOnlyList<MovePart> parts, double rate)
    {
        var contributions = new Contribution[parts.Count];
        for (var i = 0; i < contributions.Length; i++)
        {
            var update = UpdateOf(parts[i].Move)!;
            var tensors = Enumerable.Range(0, _grid.TensorCount).Select(tensor => update[tensor]).ToArray();
            contributions[i] = new Contribution(new SparseUpdate(_grid, Digest.Zero, new Round(0), new Uid(i), tensors), parts[i].Weight);
        }

        _aggregator.Aggregate(contributions, (tensor, mean, _) => OuterStep.Apply(_grid.Slice(target.Span, tensor), mean, (float)rate));
    }

    private SparseUpdate? UpdateOf(SparseMove move)
    {
        if (_updates.TryGetValue(move, out var known))
        {
            return known;
        }

        Array.Clear(_dense);
        for (var i = 0; i < move.Places.Length; i++)
        {
            _dense[_flatOf[move.Places[i]]] = (float)move.Values[i];
        }

        if (Encode() is not { } update)
        {
            return null;
        }

        _updates.Add(move, update);
        return update;
    }

    private SparseUpdate? Encode() =>
        _encoder.TryEncode(Digest.Zero, new Round(0), new Uid(0), _nothing, _dense, _dense, out var update, out _) ? update : null;

    private SparseMove MoveOf(SparseUpdate update)
    {
        var (places, values) = (new int[Keep], new double[Keep]);
        var (at, firstOfChunk) = (0, 0);
        for (var tensor = 0; tensor < _grid.TensorCount; tensor++)
        {
            var (sent, grid) = (update[tensor], _grid[tensor]);
            var decoded = new float[grid.ValueCount];
            sent.CopyValuesTo(decoded);
            for (var chunk = 0; chunk < grid.ChunkCount; firstOfChunk += grid.LengthOf(chunk++))
            {
                var first = grid.FirstValueOf(chunk);
                foreach (var place in sent.IndicesOf(chunk))
                {
                    (places[at], values[at]) = (firstOfChunk + place, decoded[first++]);
                    at++;
                }
            }
        }

        var move = new SparseMove(places, values);
        _updates.Add(move, update);
        return move;
    }

    private static int[] FlatPlaces(ChunkGrid grid)
    {
        var places = new List<int>((int)grid.ElementCount);
        for (var tensor = 0; tensor < grid.TensorCount; tensor++)
        {
            for (var chunk = 0; chunk < grid[tensor].ChunkCount; chunk++)
            {
                var origin = checked((int)grid[tensor].Spec.Offset) + grid[tensor].OriginOf(chunk);
                foreach (var offset in grid[tensor].ShapeOf(chunk).Offsets)
                {
                    places.Add(origin + offset);
                }
            }
        }

        return [.. places];
    }

    private sealed class Point(float[] values, int rounds) : ModelPoint
    {
        private Digest? _digest;

        public float[] Values => values;

        /// <summary>Rounds that were applied: where on the schedule of inner steps it stands.</summary>
        public int Rounds => rounds;

        public override Digest Digest => _digest ??= BaseDigest.Of(values);
    }
}
