using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>The parameters of a model: a layout and one flat fp32 buffer, which it owns.</summary>
public sealed class Parameters : IDisposable
{
    /// <summary>Takes zeroed memory for a layout.</summary>
    /// <param name="layout">At most 2^31 − 1 floats: one buffer holds the whole model.</param>
    /// <exception cref="InputException">The model is larger.</exception>
    public Parameters(ParameterLayout layout)
    {
        Layout = layout;
        Buffer = NewBuffer(layout);
    }

    /// <summary>Where the tensors stand.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The shape.</summary>
    public ModelShape Shape => Layout.Shape;

    /// <summary>All floats in the order of the layout.</summary>
    public FloatBuffer Buffer { get; }

    /// <summary>All floats in the order of the layout. Must not outlive the parameters.</summary>
    public Span<float> Span => Buffer.Span;

    /// <summary>The floats of one tensor.</summary>
    /// <param name="tensor">Of <see cref="Layout"/>.</param>
    public Span<float> this[ParameterTensor tensor] => tensor.In(Buffer);

    /// <summary>Zeroed memory for something as long as the parameters: gradients, moments, a pseudo-gradient.</summary>
    /// <param name="layout">The layout.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="InputException">The model is larger than one buffer.</exception>
    public static FloatBuffer NewBuffer(ParameterLayout layout)
    {
        if (layout.Length >= int.MaxValue)
        {
            throw new InputException(
                $"a model of {layout.Length:N0} parameters is beyond the {int.MaxValue:N0} that one machine of this version holds; "
                + "choose a smaller preset");
        }

        return new FloatBuffer((int)layout.Length);
    }

    /// <summary>A copy with memory of its own.</summary>
    public Parameters Clone()
    {
        var copy = new Parameters(Layout);
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Takes over every float of another model of the same shape.</summary>
    /// <param name="other">Same shape.</param>
    public void CopyFrom(Parameters other)
    {
        Invariant.Check(other.Shape == Shape);
        other.Span.CopyTo(Span);
    }

    /// <summary>The name of these parameters: see <see cref="BaseDigest"/>.</summary>
    public Digest Digest() => BaseDigest.Of(Span);

    /// <inheritdoc/>
    public void Dispose() => Buffer.Dispose();
}
