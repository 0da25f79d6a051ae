using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Model.Tests;

public sealed class OptimizerTests
{
    [Fact]
    public void AdamW_follows_a_reference_in_double_with_clipping_and_decay()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var state = new OptimizerState(parameters.Layout);
        var settings = new AdamWSettings(ClipNorm: 0.5);
        var expected = parameters.Span.ToArray().Select(value => (double)value).ToArray();
        var (m, v) = (new double[expected.Length], new double[expected.Length]);
        for (var t = 1; t <= 5; t++)
        {
            var gradients = Numbers(expected.Length, (ulong)t, t == 3 ? 1e-4 : 1);
            var norm = AdamW.Step(kernels, parameters.Span, gradients, state, settings, 1e-2 / t);
            var truth = Math.Sqrt(gradients.Sum(g => (double)g * g));
            Assert.Equal(truth, norm, truth * 1e-9);
            Reference(expected, m, v, gradients, settings, 1e-2 / t, t, truth);
        }

        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], parameters.Span[i], 2e-6);
        }

        Assert.Equal(5, state.Steps);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_changes_nothing()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var state = new OptimizerState(parameters.Layout);
        var (before, stateBefore) = (parameters.Digest(), state.Digest());
        var gradients = Numbers(parameters.Span.Length, 1, 1);
        gradients[7] = float.NaN;
        Assert.False(double.IsFinite(AdamW.Step(kernels, parameters.Span, gradients, state, new AdamWSettings(), 1)));
        Assert.Equal(before, parameters.Digest());
        Assert.Equal(stateBefore, state.Digest());
    }

    [Fact]
    public void Optimizer_state_survives_writing_and_reading_to_the_bit()
    {
        using var state = State();
        var stream = new MemoryStream();
        state.WriteTo(stream);
        stream.Position = 0;
        using var restored = new OptimizerState(new ParameterLayout(Tiny.Shape()));
        restored.ReadFrom(stream);
        Assert.Equal(state.Digest(), restored.Digest());
        Assert.Equal(7, restored.Steps);
    }

    [Fact]
    public void Damaged_optimizer_state_is_refused_in_words()
    {
        using var state = State();
        var stream = new MemoryStream();
        state.WriteTo(stream);
        var bytes = stream.ToArray();
        using var restored = new OptimizerState(new ParameterLayout(Tiny.Shape()));
        for (var at = 0; at < bytes.Length; at += 97)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x40;
            Assert.Throws<InputException>(() => restored.ReadFrom(new MemoryStream(damaged)));
            Assert.Throws<InputException>(() => restored.ReadFrom(new MemoryStream(bytes[..at])));
        }

        using var other = new OptimizerState(new ParameterLayout(Tiny.Shape(tied: false)));
        Assert.Throws<InputException>(() => other.ReadFrom(new MemoryStream(bytes)));
    }

    private static OptimizerState State()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        var state = new OptimizerState(parameters.Layout);
        for (ulong t = 0; t < 7; t++)
        {
            AdamW.Step(kernels, parameters.Span, Numbers(parameters.Span.Length, t, 1), state, new AdamWSettings(), 1e-3);
        }

        return state;
    }

    private static void Reference(
        double[] p, double[] m, double[] v, float[] gradients, AdamWSettings settings, double rate, int t, double norm)
    {
        var scale = Math.Min(1, settings.ClipNorm / norm);
        for (var i = 0; i < p.Length; i++)
        {
            var g = gradients[i] * scale;
            m[i] = (settings.Beta1 * m[i]) + ((1 - settings.Beta1) * g);
            v[i] = (settings.Beta2 * v[i]) + ((1 - settings.Beta2) * g * g);
            var mean = m[i] / (1 - Math.Pow(settings.Beta1, t));
            var square = v[i] / (1 - Math.Pow(settings.Beta2, t));
            p[i] -= rate * ((mean / (Math.Sqrt(square) + settings.Epsilon)) + (settings.WeightDecay * p[i]));
        }
    }

    private static float[] Numbers(int count, ulong seed, double size)
    {
        var random = new SeededRandom(seed, "gradients");
        var numbers = new float[count];
        for (var i = 0; i < count; i++)
        {
            numbers[i] = (float)(size * random.NextNormal());
        }

        return numbers;
    }
}
