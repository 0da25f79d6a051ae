using Cairn.Base;
using Cairn.Model;

namespace Cairn.Formats;

/// <summary>How far two tensors are apart.</summary>
/// <param name="Name">The tensor.</param>
/// <param name="Largest">The largest difference of two numbers.</param>
/// <param name="Relative">The root of the squared differences over the root of the squares of the first.</param>
/// <param name="Differing">Numbers that differ.</param>
public sealed record TensorDifference(string Name, double Largest, double Relative, long Differing);

/// <summary>How far two models are apart.</summary>
/// <param name="First">The first model's path.</param>
/// <param name="Second">The second model's path.</param>
/// <param name="SameTokenizer">Their tokenizers do the same.</param>
/// <param name="SameTemplate">Their chat templates are the same.</param>
/// <param name="Tensors">Each tensor, in the order of the layout.</param>
public sealed record ModelComparison(string First, string Second, bool SameTokenizer, bool SameTemplate, IReadOnlyList<TensorDifference> Tensors)
{
    /// <summary>No number differs.</summary>
    public bool SameParameters => Tensors.All(tensor => tensor.Differing == 0);

    /// <summary>Compares two models, tensor by tensor.</summary>
    /// <param name="first">Any.</param>
    /// <param name="second">Of the same tensors.</param>
    /// <exception cref="InputException">Their tensors differ in number or size, so that nothing can be compared.</exception>
    public static ModelComparison Of(ModelFile first, ModelFile second)
    {
        if (!first.Layout.Tensors.SequenceEqual(second.Layout.Tensors))
        {
            throw new InputException($"{first.Path} and {second.Path} are of different shapes: " +
                $"{first.Shape.ParameterCount:N0} and {second.Shape.ParameterCount:N0} parameters");
        }

        return new ModelComparison(
            first.Path, second.Path, first.Tokenizer.Digest == second.Tokenizer.Digest, first.ChatTemplate == second.ChatTemplate,
            [.. first.Layout.Tensors.Select(tensor => Compare(tensor, first, second))]);
    }

    private static TensorDifference Compare(ParameterTensor tensor, ModelFile first, ModelFile second)
    {
        var (a, b) = (new float[checked((int)tensor.Length)], new float[checked((int)tensor.Length)]);
        first.Read(tensor, a);
        second.Read(tensor, b);
        var (largest, squares, size, differing) = (0.0, 0.0, 0.0, 0L);
        for (var i = 0; i < a.Length; i++)
        {
            var off = Math.Abs(a[i] - (double)b[i]);
            largest = Math.Max(largest, off);
            squares += off * off;
            size += (double)a[i] * a[i];
            differing += off > 0 ? 1 : 0;
        }

        return new TensorDifference(tensor.Name, largest, squares == 0 ? 0 : Math.Sqrt(squares / Math.Max(size, double.Epsilon)), differing);
    }
}
