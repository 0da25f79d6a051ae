using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Model.Tests;

public sealed class GradientTests
{
    private const int Batch = 3;
    private const int Length = 7;

    [Theory]
    [InlineData(true, 3, 1)]
    [InlineData(false, 3, 3)]
    [InlineData(false, 4, 2)]
    [InlineData(true, 1, 1)]
    public void The_gradient_of_every_tensor_agrees_with_finite_differences(bool tied, int heads, int kvHeads)
    {
        using var kernels = new ReferenceKernels();
        var shape = Tiny.Shape(tied, heads, kvHeads);
        using var parameters = Tiny.Parameters(shape);
        using var gradients = Parameters.NewBuffer(parameters.Layout);
        using var transformer = new Transformer(parameters.Layout, kernels, Batch, Length);
        var tokens = Tiny.Tokens(Batch * Length, shape.Vocabulary);
        var targets = Tiny.Tokens(Batch * Length, shape.Vocabulary, 10);
        transformer.ForwardBackward(parameters, gradients, tokens, targets, Batch, Length);
        foreach (var tensor in parameters.Layout.Tensors)
        {
            for (ulong direction = 0; direction < 3; direction++)
            {
                var (measured, computed) = AlongDirection(transformer, parameters, gradients, tensor, tokens, targets, direction);
                Assert.True(Math.Abs(measured - computed) < 3e-4 + (2e-3 * Math.Abs(measured)), $"{tensor.Name}: {computed} but measured {measured}");
            }
        }
    }

    [Fact]
    public void Gradients_are_overwritten_not_added_to()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape(tied: false));
        using var gradients = Parameters.NewBuffer(parameters.Layout);
        using var transformer = new Transformer(parameters.Layout, kernels, Batch, Length);
        var tokens = Tiny.Tokens(Batch * Length, 37);
        transformer.ForwardBackward(parameters, gradients, tokens, tokens, Batch, Length);
        var first = gradients.Span.ToArray();
        gradients.Span.Fill(float.NaN);
        transformer.ForwardBackward(parameters, gradients, tokens, tokens, Batch, Length);
        Assert.Equal(first, gradients.Span.ToArray());
    }

    // A direction of ±1 over the whole tensor makes the difference large beside the rounding of fp32 activations.
    private static (double Measured, double Computed) AlongDirection(
        Transformer transformer, Parameters parameters, FloatBuffer gradients, ParameterTensor tensor, int[] tokens, int[] targets, ulong seed)
    {
        var step = 2e-3 / Math.Sqrt(Math.Sqrt(tensor.Length));
        var random = new SeededRandom(seed, "direction", tensor.Offset);
        var values = parameters[tensor];
        var original = values.ToArray();
        var signs = new double[values.Length];
        var computed = 0.0;
        for (var i = 0; i < signs.Length; i++)
        {
            signs[i] = random.NextBelow(2) == 0 ? -1 : 1;
            computed += signs[i] * tensor.In(gradients)[i];
        }

        double At(double scale)
        {
            var moved = parameters[tensor];
            for (var i = 0; i < signs.Length; i++)
            {
                moved[i] = (float)(original[i] + (scale * signs[i]));
            }

            var losses = new double[Batch];
            transformer.SequenceLosses(parameters, tokens, targets, Batch, Length, losses);
            return losses.Average();
        }

        // Central differences at two steps, extrapolated (Richardson): the error of the third derivative cancels.
        var wide = (At(2 * step) - At(-2 * step)) / (4 * step);
        var narrow = (At(step) - At(-step)) / (2 * step);
        var measured = ((4 * narrow) - wide) / 3;
        original.CopyTo(parameters[tensor]);
        return (measured, computed);
    }
}
