using Cairn.Compute;

namespace Cairn.Model;

/// <summary>Gradients of activations, used by one layer after the other. Letters: R rows, D model width, F feed-forward width.</summary>
internal sealed class LayerGradients : IDisposable
{
    public LayerGradients(ModelShape shape, int rows)
    {
        Stream = new FloatBuffer(checked(rows * shape.Dim));
        Normed = new FloatBuffer(checked(rows * shape.Dim));
        Attended = new FloatBuffer(checked(rows * shape.AttentionWidth));
        Qkv = new FloatBuffer(checked(rows * shape.QkvWidth));
        GateUp = new FloatBuffer(checked(rows * 2 * shape.FeedForward));
        Activated = new FloatBuffer(checked(rows * shape.FeedForward));
    }

    /// <summary>[R, D]: of the residual stream; enters a layer as the gradient of its output and leaves as that of its input.</summary>
    public FloatBuffer Stream { get; }

    /// <summary>[R, D].</summary>
    public FloatBuffer Normed { get; }

    /// <summary>[R, H·E].</summary>
    public FloatBuffer Attended { get; }

    /// <summary>[R, QkvWidth].</summary>
    public FloatBuffer Qkv { get; }

    /// <summary>[R, 2F].</summary>
    public FloatBuffer GateUp { get; }

    /// <summary>[R, F].</summary>
    public FloatBuffer Activated { get; }

    /// <summary>All buffers.</summary>
    internal IReadOnlyList<FloatBuffer> All => [Stream, Normed, Attended, Qkv, GateUp, Activated];

    /// <summary>The memory that the buffers take.</summary>
    /// <param name="shape">The model's.</param>
    /// <param name="rows">Tokens at a time.</param>
    internal static Int128 Bytes(ModelShape shape, long rows) =>
        (Int128)(sizeof(float) * rows) * ((2L * shape.Dim) + shape.AttentionWidth + shape.QkvWidth + (3L * shape.FeedForward));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffer in All)
        {
            buffer.Dispose();
        }
    }
}
