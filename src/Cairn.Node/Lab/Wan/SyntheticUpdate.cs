using Cairn.Base;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What a peer of a run without computing sends: a pseudo-gradient drawn once from a seed, through the real choice of the largest, the real quantiser and the
/// real codec; then round after round the same values under another header.</summary>
/// <remarks>One tensor at a time is in memory in full precision.</remarks>
internal sealed class SyntheticUpdate
{
    private readonly SparseUpdateCodec _codec;
    private readonly SparseTensor[] _tensors;

    private SyntheticUpdate(SparseUpdateCodec codec, SparseTensor[] tensors) => (_codec, _tensors) = (codec, tensors);

    /// <summary>Draws one.</summary>
    /// <param name="run">The run.</param>
    /// <param name="uid">Whose: of another seed for each, so that no two look copied.</param>
    /// <param name="cancellation">Gives up between two tensors.</param>
    public static SyntheticUpdate Draw(RunContext run, Uid uid, CancellationToken cancellation)
    {
        // With nothing kept of an error there is none to give.
        var encoder = new SparseEncoder(run.Grid, (QuantizerKind)run.Rules.Sparse.Quantization, decay: 0);
        var tensors = new SparseTensor[run.Grid.TensorCount];
        var delta = Array.Empty<float>();
        for (var i = 0; i < tensors.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var length = checked((int)run.Grid[i].Spec.Length);
            delta = delta.Length < length ? GC.AllocateUninitializedArray<float>(length) : delta;
            var values = delta.AsSpan(0, length);
            values.Clear();
            DrawnSteps.Take(values, values, [], (uid.Value * tensors.Length) + i);
            Invariant.Check(encoder.TryEncodeTensor(i, values, values, values, out var sent, out _));
            tensors[i] = sent!;
        }

        return new SyntheticUpdate(run.Codec, tensors);
    }

    /// <summary>The bytes of it for a round.</summary>
    /// <param name="rules">Digest of the rules.</param>
    /// <param name="round">The round.</param>
    /// <param name="uid">Whose.</param>
    public byte[] Encode(Digest rules, Round round, Uid uid) => _codec.Encode(new SparseUpdate(_codec.Grid, rules, round, uid, _tensors));
}
