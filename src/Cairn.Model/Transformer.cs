using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>Tokens to loss and back: the forward and backward pass of a whole model over an <see cref="IKernels"/>, in working memory taken
/// once.</summary>
/// <remarks>Letters: R = batch × length rows, D model width, V vocabulary. No call allocates. With the CPU kernels the same inputs give the
/// same bits on any
/// thread count (Tier T2). A sequence's loss does not depend on the sequences beside it. Not safe for two callers at once.</remarks>
public sealed class Transformer : IDisposable
{
    /// <summary>Rows of logits that exist at a time. Part of the numbers: the head's gradient is summed in pieces of this many rows.</summary>
    public const int HeadRows = 512;

    private readonly FloatBuffer[] _streams;
    private readonly LayerActivations[] _layers;
    private readonly FloatBuffer _finalNorm;
    private readonly FloatBuffer _finalInverseRms;
    private readonly FloatBuffer _logits;
    private readonly FloatBuffer _losses;
    private readonly LayerGradients? _gradients;

    /// <summary>Takes the working memory.</summary>
    /// <param name="layout">The parameters it will be given.</param>
    /// <param name="kernels">Computes; stays the caller's.</param>
    /// <param name="batchMax">The most sequences of <paramref name="lengthMax"/> in one call.</param>
    /// <param name="lengthMax">The longest sequence; at most the model's context.</param>
    /// <param name="training">False: only losses can be computed, in the memory of one layer.</param>
    public Transformer(ParameterLayout layout, IKernels kernels, int batchMax, int lengthMax, bool training = true)
    {
        Invariant.Check(batchMax > 0 && lengthMax > 0 && lengthMax <= layout.Shape.Context);
        (Layout, Kernels, LengthMax, RowsMax) = (layout, kernels, lengthMax, checked(batchMax * lengthMax));
        var shape = layout.Shape;
        Rope = shape.Rope(lengthMax);
        var depth = training ? shape.Layers : 1;
        _streams = new FloatBuffer[training ? depth + 1 : 1];
        _layers = new LayerActivations[depth];
        for (var i = 0; i < _streams.Length; i++)
        {
            _streams[i] = new FloatBuffer(checked(RowsMax * shape.Dim));
        }

        for (var i = 0; i < depth; i++)
        {
            _layers[i] = new LayerActivations(shape, RowsMax);
        }

        _finalNorm = new FloatBuffer(checked(RowsMax * shape.Dim));
        _finalInverseRms = new FloatBuffer(RowsMax);
        _logits = new FloatBuffer(checked(Math.Min(HeadRows, RowsMax) * shape.Vocabulary));
        _losses = new FloatBuffer(RowsMax);
        _gradients = training ? new LayerGradients(shape, RowsMax) : null;
    }

    /// <summary>The working memory that one takes, in bytes: activations, and gradients of activations where it trains.</summary>
    /// <param name="shape">The model's.</param>
    /// <param name="batchMax">The most sequences of <paramref name="lengthMax"/> in one call.</param>
    /// <param name="lengthMax">The longest sequence.</param>
    /// <param name="training">False: only losses can be computed.</param>
    public static Int128 WorkingBytes(ModelShape shape, int batchMax, int lengthMax, bool training)
    {
        var rows = (long)batchMax * lengthMax;
        var (layers, streams) = training ? (shape.Layers, shape.Layers + 1) : (1, 1);
        // The streams and the final norm; of a row its inverse and its loss; the logits of some rows.
        var others = ((Int128)rows * (((streams + 1L) * shape.Dim) + 2)) + (Math.Min(HeadRows, rows) * shape.Vocabulary);
        return (layers * LayerActivations.Bytes(shape, rows)) + (sizeof(float) * others) + (training ? LayerGradients.Bytes(shape, rows) : 0);
    }

    /// <summary>The layout of the parameters it works on.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>What computes.</summary>
    public IKernels Kernels { get; }

    /// <summary>The longest sequence.</summary>
    public int LengthMax { get; }

    /// <summary>The most tokens in one call: batch × length may be anything up to it.</summary>
    public int RowsMax { get; }

    internal RopeTable Rope { get; }

    /// <summary>All of its working memory.</summary>
    internal IEnumerable<FloatBuffer> Buffers =>
        [.. _streams, .. _layers.SelectMany(layer => layer.All), _finalNorm, _finalInverseRms, _logits, _losses, .. _gradients?.All ?? []];

    private ModelShape Shape => Layout.Shape;

    /// <summary>The mean loss of a batch, and its gradient by every parameter.</summary>
    /// <param name="parameters">Of this layout.</param>
    /// <param name="gradients">As long as the parameters; overwritten with the gradient of the mean.</param>
    /// <param name="tokens">[batch, length], each below the vocabulary.</param>
    /// <param name="targets">[batch, length]: the token that follows each.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="length">Tokens per sequence.</param>
    /// <returns>Mean cross-entropy in nats, summed over rows in order in double.</returns>
    public double ForwardBackward(
        Parameters parameters, FloatBuffer gradients, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, int batch, int length)
    {
        Invariant.Check(_gradients != null && gradients.Length == parameters.Span.Length);
        CheckBatch(parameters, tokens, targets, batch, length);
        var (rows, shape, dim) = (batch * length, Shape.Attention(batch, length), Shape.Dim);
        var p = parameters.Span;
        var g = gradients.Span;
        Embed(p, tokens);
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            Pass(p, layer, shape).Forward(Stream(layer, rows), Stream(layer + 1, rows));
        }

        NormFinal(p, Stream(Shape.Layers, rows), rows);
        HeadForwardBackward(p, g, targets, rows);
        var dStream = _gradients.Stream.Slice(0, rows * dim);
        dStream.Clear();
        Kernels.RmsNormBackward(
            _gradients.Normed.Slice(0, rows * dim), Stream(Shape.Layers, rows), Layout.FinalNorm.In(p), _finalInverseRms.Slice(0, rows), dStream,
            Layout.FinalNorm.In(g), rows, dim);
        for (var layer = Shape.Layers - 1; layer >= 0; layer--)
        {
            Pass(p, layer, shape).Backward(Stream(layer, rows), _gradients, g);
        }

        if (!Shape.TiedHead)
        {
            Layout.Embedding.In(g).Clear();
        }

        Kernels.EmbedBackward(tokens, dStream, Layout.Embedding.In(g), dim);
        return Mean(0, rows);
    }

    /// <summary>The loss of each sequence, without gradients: bit for bit what <see cref="ForwardBackward"/> sees of it.</summary>
    /// <param name="parameters">Of this layout.</param>
    /// <param name="tokens">[batch, length], each below the vocabulary.</param>
    /// <param name="targets">[batch, length]: the token that follows each.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="length">Tokens per sequence.</param>
    /// <param name="meanLosses">[batch]: mean cross-entropy of each sequence in nats per token.</param>
    public void SequenceLosses(
        Parameters parameters, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, int batch, int length, Span<double> meanLosses)
    {
        Invariant.Check(meanLosses.Length == batch);
        ComputeLosses(parameters, tokens, targets, batch, length);
        for (var i = 0; i < batch; i++)
        {
            meanLosses[i] = Mean(i * length, length);
        }
    }

    /// <summary>The loss of each token, without gradients: the means of <see cref="SequenceLosses"/> are over these.</summary>
    /// <param name="parameters">Of this layout.</param>
    /// <param name="tokens">[batch, length], each below the vocabulary.</param>
    /// <param name="targets">[batch, length]: the token that follows each.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="length">Tokens per sequence.</param>
    /// <param name="losses">[batch, length]: cross-entropy of each target in nats.</param>
    public void TokenLosses(Parameters parameters, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, int batch, int length, Span<float> losses)
    {
        Invariant.Check(losses.Length == batch * length);
        ComputeLosses(parameters, tokens, targets, batch, length);
        _losses.Slice(0, batch * length).CopyTo(losses);
    }

    private void ComputeLosses(Parameters parameters, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, int batch, int length)
    {
        CheckBatch(parameters, tokens, targets, batch, length);
        var rows = batch * length;
        var p = parameters.Span;
        Embed(p, tokens);
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            EvaluationPass(p, layer, Shape.Attention(batch, length)).Forward(Stream(0, rows), Stream(0, rows));
        }

        NormFinal(p, Stream(0, rows), rows);
        for (var row = 0; row < rows; row += HeadRows)
        {
            var count = Math.Min(HeadRows, rows - row);
            var logits = Logits(p, row, count);
            Kernels.CrossEntropy(logits, targets.Slice(row, count), _losses.Slice(row, count), count, Shape.Vocabulary);
        }
    }

    /// <summary>The pass of one layer in the memory that evaluation and generation use.</summary>
    internal LayerPass EvaluationPass(Span<float> parameters, int layer, in AttentionShape shape) =>
        new(Kernels, Shape, Rope, Layout[layer], parameters, _layers[0], shape);

    /// <summary>The memory of <see cref="EvaluationPass"/>.</summary>
    internal LayerActivations EvaluationActivations => _layers[0];

    /// <summary>The residual stream before a layer, as far as its rows go.</summary>
    internal Span<float> Stream(int layer, int rows) => _streams[layer].Slice(0, rows * Shape.Dim);

    /// <summary>Rows of the embedding into the first residual stream.</summary>
    internal void Embed(Span<float> parameters, ReadOnlySpan<int> tokens) =>
        Kernels.Embed(tokens, Layout.Embedding.In(parameters), Stream(0, tokens.Length), Shape.Dim);

    /// <summary>The last norm over a stream.</summary>
    internal void NormFinal(Span<float> parameters, ReadOnlySpan<float> streamRD, int rows) => Kernels.RmsNorm(
        streamRD, Layout.FinalNorm.In(parameters), _finalNorm.Slice(0, rows * Shape.Dim), _finalInverseRms.Slice(0, rows), rows, Shape.Dim,
        Shape.NormEpsilon);

    /// <summary>Logits of some rows of the last norm; they live until the next call.</summary>
    internal Span<float> Logits(Span<float> parameters, int row, int count)
    {
        var (dim, vocabulary) = (Shape.Dim, Shape.Vocabulary);
        var logits = _logits.Slice(0, count * vocabulary);
        Kernels.MatMul(_finalNorm.Slice(row * dim, count * dim), Layout.Head.In(parameters), logits, count, vocabulary, dim, accumulate: false);
        return logits;
    }

    private LayerPass Pass(Span<float> parameters, int layer, in AttentionShape shape) =>
        new(Kernels, Shape, Rope, Layout[layer], parameters, _layers[layer], shape);

    // The head of a tied model shares its gradient with the embedding, whose rows are added later: so the first piece overwrites, the rest add.
    private void HeadForwardBackward(Span<float> parameters, Span<float> gradients, ReadOnlySpan<int> targets, int rows)
    {
        var (dim, vocabulary, scale) = (Shape.Dim, Shape.Vocabulary, 1f / rows);
        for (var row = 0; row < rows; row += HeadRows)
        {
            var count = Math.Min(HeadRows, rows - row);
            var logits = Logits(parameters, row, count);
            Kernels.SoftmaxCrossEntropy(logits, targets.Slice(row, count), _losses.Slice(row, count), count, vocabulary, scale);
            Kernels.MatMulInputGradient(
                logits, Layout.Head.In(parameters), _gradients!.Normed.Slice(row * dim, count * dim), count, vocabulary, dim, accumulate: false);
            Kernels.MatMulParameterGradient(
                logits, _finalNorm.Slice(row * dim, count * dim), Layout.Head.In(gradients), count, vocabulary, dim, accumulate: row > 0);
        }
    }

    private double Mean(int row, int count)
    {
        var sum = 0.0;
        foreach (var loss in _losses.Slice(row, count))
        {
            sum += loss;
        }

        return sum / count;
    }

    // The kernels trust ids: one outside the vocabulary would read and write foreign memory.
    private void CheckBatch(Parameters parameters, ReadOnlySpan<int> tokens, ReadOnlySpan<int> targets, int batch, int length)
    {
        Invariant.Check(parameters.Shape == Shape);
        Invariant.Check(batch > 0 && length > 0 && length <= LengthMax && (long)batch * length <= RowsMax);
        Invariant.Check(tokens.Length == batch * length && targets.Length == tokens.Length);
        var vocabulary = (uint)Shape.Vocabulary;
        var inside = true;
        for (var i = 0; i < tokens.Length; i++)
        {
            inside &= (uint)tokens[i] < vocabulary & (uint)targets[i] < vocabulary;
        }

        Invariant.Check(inside);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in Buffers)
        {
            buffer.Dispose();
        }
    }
}
