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

    public void Dispose()
    {
        Stream.Dispose();
        Normed.Dispose();
        Attended.Dispose();
        Qkv.Dispose();
        GateUp.Dispose();
        Activated.Dispose();
    }
}
