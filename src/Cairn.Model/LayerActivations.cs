using Cairn.Compute;

namespace Cairn.Model;

/// <summary>What the forward pass of one layer leaves behind for its backward pass. Letters: R rows, D model width, F feed-forward
/// width.</summary>
internal sealed class LayerActivations : IDisposable
{
    public LayerActivations(ModelShape shape, int rows)
    {
        AttentionNorm = new FloatBuffer(checked(rows * shape.Dim));
        AttentionInverseRms = new FloatBuffer(rows);
        Qkv = new FloatBuffer(checked(rows * shape.QkvWidth));
        Attended = new FloatBuffer(checked(rows * shape.AttentionWidth));
        LogSumExp = new FloatBuffer(checked(rows * shape.Heads));
        Middle = new FloatBuffer(checked(rows * shape.Dim));
        FeedForwardNorm = new FloatBuffer(checked(rows * shape.Dim));
        FeedForwardInverseRms = new FloatBuffer(rows);
        GateUp = new FloatBuffer(checked(rows * 2 * shape.FeedForward));
        Activated = new FloatBuffer(checked(rows * shape.FeedForward));
    }

    /// <summary>[R, D]: the normed input of attention.</summary>
    public FloatBuffer AttentionNorm { get; }

    /// <summary>[R].</summary>
    public FloatBuffer AttentionInverseRms { get; }

    /// <summary>[R, QkvWidth]: rotated.</summary>
    public FloatBuffer Qkv { get; }

    /// <summary>[R, H·E]: the output of attention before its projection.</summary>
    public FloatBuffer Attended { get; }

    /// <summary>[batch, H, T].</summary>
    public FloatBuffer LogSumExp { get; }

    /// <summary>[R, D]: the residual stream between attention and feed-forward.</summary>
    public FloatBuffer Middle { get; }

    /// <summary>[R, D]: the normed input of the feed-forward.</summary>
    public FloatBuffer FeedForwardNorm { get; }

    /// <summary>[R].</summary>
    public FloatBuffer FeedForwardInverseRms { get; }

    /// <summary>[R, 2F].</summary>
    public FloatBuffer GateUp { get; }

    /// <summary>[R, F].</summary>
    public FloatBuffer Activated { get; }

    /// <summary>All buffers.</summary>
    internal IReadOnlyList<FloatBuffer> All =>
    [
        AttentionNorm, AttentionInverseRms, Qkv, Attended, LogSumExp, Middle,
        FeedForwardNorm, FeedForwardInverseRms, GateUp, Activated,
    ];

    /// <summary>The memory that the buffers take.</summary>
    /// <param name="shape">The model's.</param>
    /// <param name="rows">Tokens at a time.</param>
    internal static Int128 Bytes(ModelShape shape, long rows) =>
        (Int128)(sizeof(float) * rows) * ((3L * shape.Dim) + shape.QkvWidth + shape.AttentionWidth + shape.Heads + (3L * shape.FeedForward) + 2);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in All)
        {
            buffer.Dispose();
        }
    }
}
