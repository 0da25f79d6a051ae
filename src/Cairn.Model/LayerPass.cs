using Cairn.Compute;

namespace Cairn.Model;

/// <summary>One transformer layer, forward and backward, over coarse kernels: norm, attention, residual, norm, SwiGLU, residual.</summary>
/// <remarks>Letters: R rows, D model width, F feed-forward width. The residual sums are done by the products themselves (they add to a copy
/// of the stream).</remarks>
internal readonly ref struct LayerPass
{
    private readonly IKernels _kernels;
    private readonly ModelShape _model;
    private readonly RopeTable _rope;
    private readonly LayerTensors _tensors;
    private readonly Span<float> _parameters;
    private readonly LayerActivations _saved;
    private readonly AttentionShape _shape;

    public LayerPass(
        IKernels kernels, ModelShape model, RopeTable rope, LayerTensors tensors, Span<float> parameters, LayerActivations saved,
        AttentionShape shape)
    {
        _kernels = kernels;
        _model = model;
        _rope = rope;
        _tensors = tensors;
        _parameters = parameters;
        _saved = saved;
        _shape = shape;
    }

    private int Rows => _shape.Rows;

    /// <summary>output = layer(input). They may be the same span when no backward pass follows.</summary>
    public void Forward(ReadOnlySpan<float> inputRD, Span<float> outputRD)
    {
        Project(inputRD);
        _kernels.Rope(QkvOf(_saved.Qkv), _rope, _shape, inverse: false);
        _kernels.Attention(QkvOf(_saved.Qkv), AttendedOf(_saved.Attended), _saved.LogSumExp.Slice(0, Rows * _model.Heads), _shape);
        Finish(inputRD, outputRD);
    }

    /// <summary>The first half of <see cref="Forward"/>: queries, keys and values before their rotation.</summary>
    public void Project(ReadOnlySpan<float> inputRD)
    {
        var dim = _model.Dim;
        _kernels.RmsNorm(
            inputRD, _tensors.AttentionNorm.In(_parameters), Wide(_saved.AttentionNorm), _saved.AttentionInverseRms.Slice(0, Rows), Rows, dim,
            _model.NormEpsilon);
        _kernels.MatMul(Wide(_saved.AttentionNorm), _tensors.Qkv(_parameters), QkvOf(_saved.Qkv), Rows, _model.QkvWidth, dim, accumulate: false);
    }

    /// <summary>The second half of <see cref="Forward"/>: from the output of attention to the output of the layer.</summary>
    public void Finish(ReadOnlySpan<float> inputRD, Span<float> outputRD)
    {
        var (dim, ffn) = (_model.Dim, _model.FeedForward);
        var middle = Wide(_saved.Middle);
        inputRD.CopyTo(middle);
        _kernels.MatMul(AttendedOf(_saved.Attended), _tensors.Output.In(_parameters), middle, Rows, dim, _model.AttentionWidth, accumulate: true);
        _kernels.RmsNorm(
            middle, _tensors.FeedForwardNorm.In(_parameters), Wide(_saved.FeedForwardNorm), _saved.FeedForwardInverseRms.Slice(0, Rows), Rows, dim,
            _model.NormEpsilon);
        _kernels.MatMul(Wide(_saved.FeedForwardNorm), _tensors.GateUp(_parameters), GateUpOf(_saved.GateUp), Rows, 2 * ffn, dim, accumulate: false);
        _kernels.SwiGlu(GateUpOf(_saved.GateUp), ActivatedOf(_saved.Activated), Rows, ffn);
        middle.CopyTo(outputRD);
        _kernels.MatMul(ActivatedOf(_saved.Activated), _tensors.Down.In(_parameters), outputRD, Rows, dim, ffn, accumulate: true);
    }

    /// <summary>Turns the gradient of the output (in <see cref="LayerGradients.Stream"/>) into that of the input and overwrites this layer's
    /// parameter gradients.</summary>
    /// <param name="inputRD">What <see cref="Forward"/> was given, unchanged.</param>
    /// <param name="d">Working memory.</param>
    /// <param name="gradients">All parameter gradients.</param>
    public void Backward(ReadOnlySpan<float> inputRD, LayerGradients d, Span<float> gradients)
    {
        BackwardFeedForward(d, gradients);
        BackwardAttention(inputRD, d, gradients);
    }

    private void BackwardFeedForward(LayerGradients d, Span<float> gradients)
    {
        var (dim, ffn) = (_model.Dim, _model.FeedForward);
        var dStream = Wide(d.Stream);
        _kernels.MatMulInputGradient(dStream, _tensors.Down.In(_parameters), ActivatedOf(d.Activated), Rows, dim, ffn, accumulate: false);
        _kernels.MatMulParameterGradient(dStream, ActivatedOf(_saved.Activated), _tensors.Down.In(gradients), Rows, dim, ffn, accumulate: false);
        _kernels.SwiGluBackward(GateUpOf(_saved.GateUp), ActivatedOf(d.Activated), GateUpOf(d.GateUp), Rows, ffn);
        _kernels.MatMulInputGradient(GateUpOf(d.GateUp), _tensors.GateUp(_parameters), Wide(d.Normed), Rows, 2 * ffn, dim, accumulate: false);
        _kernels.MatMulParameterGradient(
            GateUpOf(d.GateUp), Wide(_saved.FeedForwardNorm), _tensors.GateUp(gradients), Rows, 2 * ffn, dim, accumulate: false);
        _kernels.RmsNormBackward(
            Wide(d.Normed), Wide(_saved.Middle), _tensors.FeedForwardNorm.In(_parameters), _saved.FeedForwardInverseRms.Slice(0, Rows), dStream,
            _tensors.FeedForwardNorm.In(gradients), Rows, dim);
    }

    private void BackwardAttention(ReadOnlySpan<float> inputRD, LayerGradients d, Span<float> gradients)
    {
        var (dim, qkv, attended) = (_model.Dim, _model.QkvWidth, _model.AttentionWidth);
        var dStream = Wide(d.Stream);
        _kernels.MatMulInputGradient(dStream, _tensors.Output.In(_parameters), AttendedOf(d.Attended), Rows, dim, attended, accumulate: false);
        _kernels.MatMulParameterGradient(dStream, AttendedOf(_saved.Attended), _tensors.Output.In(gradients), Rows, dim, attended, accumulate: false);
        _kernels.AttentionBackward(
            AttendedOf(d.Attended), QkvOf(_saved.Qkv), AttendedOf(_saved.Attended), _saved.LogSumExp.Slice(0, Rows * _model.Heads), QkvOf(d.Qkv), _shape);
        _kernels.Rope(QkvOf(d.Qkv), _rope, _shape, inverse: true);
        _kernels.MatMulInputGradient(QkvOf(d.Qkv), _tensors.Qkv(_parameters), Wide(d.Normed), Rows, qkv, dim, accumulate: false);
        _kernels.MatMulParameterGradient(QkvOf(d.Qkv), Wide(_saved.AttentionNorm), _tensors.Qkv(gradients), Rows, qkv, dim, accumulate: false);
        _kernels.RmsNormBackward(
            Wide(d.Normed), inputRD, _tensors.AttentionNorm.In(_parameters), _saved.AttentionInverseRms.Slice(0, Rows), dStream,
            _tensors.AttentionNorm.In(gradients), Rows, dim);
    }

    private Span<float> Wide(FloatBuffer buffer) => buffer.Slice(0, Rows * _model.Dim);

    private Span<float> AttendedOf(FloatBuffer buffer) => buffer.Slice(0, Rows * _model.AttentionWidth);

    private Span<float> QkvOf(FloatBuffer buffer) => buffer.Slice(0, Rows * _model.QkvWidth);

    private Span<float> GateUpOf(FloatBuffer buffer) => buffer.Slice(0, Rows * 2 * _model.FeedForward);

    private Span<float> ActivatedOf(FloatBuffer buffer) => buffer.Slice(0, Rows * _model.FeedForward);
}
