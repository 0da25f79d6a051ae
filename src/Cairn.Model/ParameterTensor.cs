using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>One named tensor inside the flat buffer of all parameters, row-major.</summary>
/// <param name="Name">The name that Hugging Face's Llama gives it.</param>
/// <param name="Rows">Outputs of a matrix; 1 for a vector.</param>
/// <param name="Columns">Inputs of a matrix; the length of a vector.</param>
/// <param name="IsMatrix">Two dimensions in files; otherwise one.</param>
/// <param name="Offset">First float in the flat buffer.</param>
public sealed record ParameterTensor(string Name, int Rows, int Columns, bool IsMatrix, long Offset)
{
    /// <summary>Floats in it.</summary>
    public long Length => (long)Rows * Columns;

    /// <summary>First float after it.</summary>
    public long End => Offset + Length;

    /// <summary>Its part of a flat buffer of parameters, gradients or moments.</summary>
    /// <param name="flat">As long as the layout.</param>
    public Span<float> In(FloatBuffer flat) => flat.Slice(checked((int)Offset), checked((int)Length));

    /// <summary>Its part of a flat span.</summary>
    /// <param name="flat">As long as the layout.</param>
    public Span<float> In(Span<float> flat) => flat.Slice(checked((int)Offset), checked((int)Length));

    /// <summary>The dimensions as files list them: [rows, columns] or [length].</summary>
    public IReadOnlyList<int> Dimensions => IsMatrix ? [Rows, Columns] : [Columns];

    /// <summary>The floats from the first tensor's beginning to the last one's end.</summary>
    /// <param name="flat">As long as the layout.</param>
    /// <param name="first">Lies before <paramref name="last"/> with nothing else between.</param>
    /// <param name="last">The last one.</param>
    internal static Span<float> Fused(Span<float> flat, ParameterTensor first, ParameterTensor last)
    {
        Invariant.Check(first.Offset <= last.Offset && first.Columns == last.Columns);
        return flat[(int)first.Offset..(int)last.End];
    }
}
