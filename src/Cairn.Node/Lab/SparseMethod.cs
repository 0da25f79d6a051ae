using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>Sees the accumulated pseudo-gradient of a peer, in the grid's flat layout.</summary>
internal delegate void AccumulatedSeen(ReadOnlySpan<float> accumulated);

/// <summary>SparseLoCo (arXiv:2508.15706) without a network: peer after peer trains, encodes and sends, then the round is applied as
/// <see cref="Replica"/> applies it. The one place of the lab that knows how updates are encoded.</summary>
internal sealed class SparseMethod : ILabMethod
{
    private readonly LabBench _bench;
    private readonly SparseVariant _variant;
    private readonly ChunkGrid _grid;
    private readonly SparseEncoder _encoder;
    private readonly Aggregator _aggregator;
    private readonly Parameters _local;
    private readonly OptimizerState[] _optimizers;
    private readonly FloatBuffer[] _errors;
    private readonly SparseUpdateCodec _codec;
    // With an apply delay: the base that the round is trained from, what each peer sent for the round before, and where one begins that it leads.
    private readonly Parameters? _behind;
    private readonly SparseUpdate?[] _sent;
    private readonly Parameters? _led;
    private int _round;
    private long _stepsTaken;

    /// <summary>Sees what each peer accumulated (β·e + Δ), after it was encoded and before the round takes of it; may be null.</summary>
    public AccumulatedSeen? Seen { get; init; }

    public SparseMethod(LabBench bench, SparseVariant variant)
    {
        var layout = bench.Engine.Local.Layout;
        (_bench, _variant, _grid) = (bench, variant, RunContext.GridOf(layout));
        _encoder = new SparseEncoder(_grid, variant.Quantizer, variant.ErrorDecay);
        _aggregator = new Aggregator(_grid, variant.Aggregation);
        _local = new Parameters(layout);
        _behind = variant.ApplyDelay > 0 ? Base.Clone() : null;
        _sent = new SparseUpdate?[bench.Setting.Peers];
        _led = variant is { ApplyDelay: > 0, Leads: true } ? new Parameters(layout) : null;
        _optimizers = [.. Peers.Select(_ => new OptimizerState(layout))];
        _errors = [.. Peers.Select(_ => Parameters.NewBuffer(layout))];
        _codec = new SparseUpdateCodec(_grid, UpdateFormat.Default with { Quantizer = variant.Quantizer });
    }

    public long? Round(int steps, Func<int, BatchSource> batchesOf)
    {
        var bytes = 0L;
        var contributions = new List<Contribution>();
        foreach (var peer in Peers)
        {
            if (Train(peer, steps, batchesOf(peer)) is not { } update)
            {
                return null;
            }

            bytes += SentBytes(update);
            contributions.Add(new Contribution(update, Samples: 1));
        }

        _behind?.CopyFrom(Base);
        Apply(contributions);
        (_round, _stepsTaken) = (_round + 1, _stepsTaken + steps);
        return bytes;
    }

    public void Dispose()
    {
        _aggregator.Dispose();
        _local.Dispose();
        _behind?.Dispose();
        _led?.Dispose();
        foreach (var owned in _optimizers.Concat<IDisposable>(_errors))
        {
            owned.Dispose();
        }
    }

    // The published form has 12 bits for each place and no entropy code; ours is written as a swarm writes it.
    private long SentBytes(SparseUpdate update)
    {
        if (_variant.Quantizer != QuantizerKind.Published)
        {
            return _codec.Encode(update).Length;
        }

        var bytes = (long)SparseUpdateCodec.HeaderBytes;
        for (var tensor = 0; tensor < _grid.TensorCount; tensor++)
        {
            var packed = new byte[PublishedPacking.IndexBytes(_grid[tensor].ValueCount)];
            PublishedPacking.PackIndices(update[tensor].Indices, packed);
            bytes += 24 + packed.Length + ((_grid[tensor].ValueCount + 3) / 4);
        }

        return bytes;
    }

    private IEnumerable<int> Peers => Enumerable.Range(0, _bench.Setting.Peers);

    private Parameters Base => _bench.Engine.Local;

    // Leaves a = β·e + Δ in the peer's error buffer, until the round has said what of it was applied.
    private SparseUpdate? Train(int peer, int steps, BatchSource batches)
    {
        var from = FromOf(peer);
        _local.CopyFrom(from);
        _bench.Engine.InnerLoop.Run(_local, _optimizers[peer], batches, _stepsTaken, steps);
        PseudoGradient.Compute(from.Span, _local.Span, _local.Span);
        var error = _errors[peer].Span;
        if (!_encoder.TryEncode(Digest.Zero, new Round(_round), new Uid(peer), error, _local.Span, error, out var update, out _))
        {
            return null;
        }

        Seen?.Invoke(error);
        _sent[peer] = update;
        return update;
    }

    private Parameters FromOf(int peer)
    {
        if (_led is null || _sent[peer] is not { } sent)
        {
            return _behind ?? Base;
        }

        _led.CopyFrom(_behind!);
        StepOfOne.Apply(sent, _led.Span, _variant.OuterRate);
        return _led;
    }

    private void Apply(List<Contribution> contributions) =>
        _aggregator.Aggregate(contributions, (tensor, mean, factors) =>
        {
            OuterStep.Apply(_grid.Slice(Base.Span, tensor), mean, _variant.OuterRate);
            foreach (var peer in Peers)
            {
                var factor = _variant.Feedback == FeedbackRule.Applied ? factors[peer] : 1;
                _aggregator.Settle(contributions[peer].Update[tensor], factor, mean, _grid.Slice(_errors[peer].Span, tensor));
            }
        });
}
