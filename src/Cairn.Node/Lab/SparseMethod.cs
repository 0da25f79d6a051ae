using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Sparse;
using Cairn.Training;

namespace Cairn.Node;

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
    private readonly float[] _asSent;
    private int _round;
    private long _stepsTaken;

    public SparseMethod(LabBench bench, SparseVariant variant)
    {
        var layout = bench.Engine.Local.Layout;
        (_bench, _variant, _grid) = (bench, variant, RunContext.GridOf(layout));
        _encoder = NewEncoder(_grid, variant);
        _aggregator = new Aggregator(_grid, variant.Aggregation, variant.Clip);
        _local = new Parameters(layout);
        _optimizers = [.. Peers.Select(_ => new OptimizerState(layout))];
        _errors = [.. Peers.Select(_ => Parameters.NewBuffer(layout))];
        _asSent = [.. Enumerable.Repeat(1f, _grid.TensorCount)];
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

        Apply(contributions);
        (_round, _stepsTaken) = (_round + 1, _stepsTaken + steps);
        return bytes;
    }

    public void Dispose()
    {
        _aggregator.Dispose();
        _local.Dispose();
        foreach (var owned in _optimizers.Concat<IDisposable>(_errors))
        {
            owned.Dispose();
        }
    }

    // These two are all that a choice of quantiser or wire form touches. Both wishes get the published quantiser, the only one there is.
    private static SparseEncoder NewEncoder(ChunkGrid grid, SparseVariant variant) => variant.Quantizer switch
    {
        LabQuantizer.Published => new SparseEncoder(grid, variant.ErrorDecay),
        _ => new SparseEncoder(grid, variant.ErrorDecay),
    };

    private static long SentBytes(SparseUpdate update) => SparseUpdateCodec.Encode(update).Length;

    private IEnumerable<int> Peers => Enumerable.Range(0, _bench.Setting.Peers);

    private Parameters Base => _bench.Engine.Local;

    // Leaves a = β·e + Δ in the peer's error buffer, until the round has said what of it was applied.
    private SparseUpdate? Train(int peer, int steps, BatchSource batches)
    {
        _local.CopyFrom(Base);
        _bench.Engine.InnerLoop.Run(_local, _optimizers[peer], batches, _stepsTaken, steps);
        PseudoGradient.Compute(Base.Span, _local.Span, _local.Span);
        var error = _errors[peer].Span;
        return _encoder.TryEncode(Digest.Zero, new Round(_round), new Uid(peer), error, _local.Span, error, out var update, out _) ? update : null;
    }

    private void Apply(List<Contribution> contributions)
    {
        var factors = _aggregator.Aggregate(
            contributions, (tensor, mean) => OuterStep.Apply(_grid.Slice(Base.Span, tensor), mean, _variant.OuterRate));
        foreach (var peer in Peers)
        {
            ErrorFeedback.Settle(
                contributions[peer].Update, _variant.Feedback == FeedbackRule.Applied ? factors.Of(peer) : _asSent, _errors[peer].Span);
        }
    }
}
