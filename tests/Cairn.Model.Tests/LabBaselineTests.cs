using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Model.Tests;

/// <summary>The parts of the baselines that compress: what they promise, against plain arithmetic.</summary>
public sealed class LabBaselineTests
{
    private const int Batch = 2;
    private const int Length = 9;

    [Theory]
    [InlineData(64, 64)]
    [InlineData(128, 192)]
    [InlineData(37, 18)]
    [InlineData(1, 128)]
    public void The_cosine_transform_keeps_the_norm_and_goes_back(int rows, int columns)
    {
        using var kernels = new CpuKernels(1);
        var transform = new CosineTransform(rows, columns);
        var x = Numbers(rows * columns);
        var (y, scratch, back) = (new float[x.Length], new float[x.Length], new float[x.Length]);
        transform.Forward(kernels, x, scratch, y);
        transform.Inverse(kernels, y, scratch, back);
        Assert.Equal(x.Sum(v => (double)v * v), y.Sum(v => (double)v * v), 1e-5 * x.Length);
        for (var i = 0; i < x.Length; i++)
        {
            Assert.Equal(x[i], back[i], 1e-5);
        }
    }

    [Fact]
    public void A_coefficient_is_the_sum_that_its_definition_names()
    {
        using var kernels = new ReferenceKernels();
        const int Rows = 6;
        const int Columns = 10;
        var transform = new CosineTransform(Rows, Columns);
        Assert.Equal((Rows, Columns, 1), (transform.BlockRows, transform.BlockColumns, transform.BlockCount));
        var x = Numbers(Rows * Columns);
        var (y, scratch) = (new float[x.Length], new float[x.Length]);
        transform.Forward(kernels, x, scratch, y);
        const int U = 2;
        const int V = 3;
        var sum = 0.0;
        for (var m = 0; m < Rows; m++)
        {
            for (var n = 0; n < Columns; n++)
            {
                sum += x[(m * Columns) + n] * Math.Cos(Math.PI * (m + 0.5) * U / Rows) * Math.Cos(Math.PI * (n + 0.5) * V / Columns);
            }
        }

        Assert.Equal(sum * Math.Sqrt(2.0 / Rows) * Math.Sqrt(2.0 / Columns), y[(U * Columns) + V], 1e-5);
    }

    [Fact]
    public void Of_equal_elements_the_earlier_ones_are_the_largest()
    {
        var places = new int[4];
        LargestOfBlock.Find([1, -3, 2, 3, -2, 2, 0, float.NaN], places);
        Assert.Equal([1, 3, 2, 4], places);
        var all = new int[3];
        LargestOfBlock.Find([float.NaN, 0, -1], all);
        Assert.Equal([2, 1, 0], all);
    }

    [Fact]
    public void Eight_bits_follow_their_rule()
    {
        Assert.Equal([2, 2, -2, 4, 127], new[] { 1.5f, 2.5f, -1.5f, 3.5f, 127 }.Select(value => (int)Int8Blocks.Encode(value, 1)));
        Assert.Equal(Int8Blocks.Block + 4, Int8Blocks.BytesOf(Int8Blocks.Block));
        Assert.Equal(Int8Blocks.Block + 1 + 8, Int8Blocks.BytesOf(Int8Blocks.Block + 1));
        var values = Numbers(Int8Blocks.Block + 100);
        values.AsSpan(Int8Blocks.Block).Clear();
        var received = (float[])values.Clone();
        Int8Blocks.RoundTrip(received);
        var scale = values.Max(Math.Abs) / 127;
        Assert.All(values.Zip(received), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= scale * 0.5001));
        Assert.All(received[Int8Blocks.Block..], value => Assert.Equal(0, value));
        received[3] = float.PositiveInfinity;
        Int8Blocks.RoundTrip(received);
        Assert.True(received[..Int8Blocks.Block].All(float.IsNaN) && received[^1] == 0);
    }

    [Fact]
    public void Decoupled_momentum_learns_and_repeats_itself_to_the_bit()
    {
        var (first, again) = (Train(), Train());
        Assert.Equal(first.Digest, again.Digest);
        Assert.True(first.After < first.Before - 0.3, $"{first.Before} → {first.After}");
    }

    [Fact]
    public void What_a_worker_transmits_is_what_the_base_moves_by()
    {
        using var kernels = new ReferenceKernels();
        using var whole = Initializer.Create(new ParameterLayout(Tiny.Shape()), 1);
        using var silent = whole.Clone();
        using var begin = whole.Clone();
        using var transformer = new Transformer(whole.Layout, kernels, Batch, Length);
        var schedule = new LearningRateSchedule(3e-3, 2, 100);
        using var dense = new DilocoBaseline(transformer, whole, 2, new AdamWSettings(), schedule, Batch, Length);
        using var nothing = new DilocoBaseline(transformer, silent, 2, new AdamWSettings(), schedule, Batch, Length, transmission: delta => delta.Clear());
        dense.Round(2, worker => (step, tokens, targets) => Fill(worker + step, tokens, targets));
        nothing.Round(2, worker => (step, tokens, targets) => Fill(worker + step, tokens, targets));
        Assert.Equal(begin.Digest(), silent.Digest());
        Assert.NotEqual(begin.Digest(), whole.Digest());
    }

    private static (double Before, double After, Digest Digest) Train()
    {
        using var kernels = new CpuKernels(1);
        using var parameters = Initializer.Create(new ParameterLayout(Tiny.Shape()), 1);
        using var transformer = new Transformer(parameters.Layout, kernels, Batch, Length);
        using var demo = new DemoBaseline(transformer, parameters, 2, new DemoSettings(), new LearningRateSchedule(3e-3, 2, 100), Batch, Length);
        Assert.True(demo.BytesPerStep > 0 && demo.BytesPerStep < parameters.Layout.Length);
        var before = LossEvaluation.Mean(transformer, parameters, Fill, Length, 2);
        for (var step = 0; step < 40; step++)
        {
            demo.Step(worker => (_, tokens, targets) => Fill(worker, tokens, targets));
        }

        Assert.Equal(40, demo.StepsTaken);
        return (before, LossEvaluation.Mean(transformer, parameters, Fill, Length, 2), parameters.Digest());
    }

    private static float[] Numbers(int count)
    {
        var random = new SeededRandom(4, "lab", count);
        var numbers = new float[count];
        foreach (ref var number in numbers.AsSpan())
        {
            number = (float)random.NextNormal();
        }

        return numbers;
    }

    private static void Fill(int step, Span<int> tokens, Span<int> targets)
    {
        Tiny.Tokens(tokens.Length, 37, (ulong)step).CopyTo(tokens);
        tokens[1..].CopyTo(targets);
        targets[^1] = tokens[0];
    }
}
