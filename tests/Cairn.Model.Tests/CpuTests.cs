using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Model.Tests;

/// <summary>The whole model on the processor's kernels: true to the reference, the same bits on any thread count, and no garbage.</summary>
public sealed class CpuTests
{
    private const int Batch = 3;
    private const int Length = 40;

    // Long enough for several head pieces, attention blocks and odd remainders.
    private static readonly ModelShape _shape = new(301, 48, 3, 6, 2, 83, 64, TiedHead: true);

    // The losses of ten steps, as bits: they change only when the numbers of training change, which breaks every replay across versions.
    private static readonly ulong[] _goldenLosses =
    [
        0x4016E069B9D9999A, 0x4016DA71C5F33333, 0x401628A400666666, 0x40153A8359CCCCCD, 0x40142F08AB000000,
        0x40130C058E400000, 0x4011FC2404A66666, 0x4010C3FE7D266666, 0x400F7193C7000000, 0x400D179EFB266666,
    ];

    [Theory]
    [InlineData(true, 6, 2)]
    [InlineData(false, 4, 4)]
    [InlineData(false, 3, 1)]
    public void Loss_and_gradients_agree_with_the_reference(bool tied, int heads, int kvHeads)
    {
        var shape = _shape with { TiedHead = tied, Heads = heads, KvHeads = kvHeads };
        using var parameters = Tiny.Parameters(shape);
        using var fast = new CpuKernels(2);
        using var slow = new ReferenceKernels();
        var (loss, gradients) = Gradients(fast, parameters, Batch);
        var (expectedLoss, expected) = Gradients(slow, parameters, Batch);
        Assert.Equal(expectedLoss, loss, 1e-5);
        foreach (var tensor in parameters.Layout.Tensors)
        {
            var (error, size) = (0.0, 0.0);
            for (var i = tensor.Offset; i < tensor.End; i++)
            {
                error += Math.Pow(expected[i] - (double)gradients[i], 2);
                size += Math.Pow(expected[i], 2);
            }

            Assert.True(Math.Sqrt(error) < 2e-5 * Math.Sqrt(size), $"{tensor.Name}: {Math.Sqrt(error / size)}");
        }
    }

    [Fact]
    public void Threads_change_no_bit_of_training()
    {
        var digests = new List<(Digest, Digest, Digest)>();
        foreach (var threads in new[] { 1, 2, 3 })
        {
            using var kernels = new CpuKernels(threads);
            var (parameters, optimizer, result) = Train(kernels, 3);
            digests.Add((parameters.Digest(), optimizer.Digest(), result.Trace));
            parameters.Dispose();
            optimizer.Dispose();
        }

        Assert.Single(digests.Distinct());
    }

    [Fact]
    public void Ten_steps_give_the_golden_losses()
    {
        using var kernels = new CpuKernels(2);
        var (parameters, optimizer, result) = Train(kernels, 10);
        var bits = result.Losses.Select(BitConverter.DoubleToUInt64Bits).ToArray();
        Assert.True(_goldenLosses.SequenceEqual(bits), string.Join(", ", bits.Select(b => $"0x{b:X16}")) + " " + string.Join(" ", result.Losses));
        parameters.Dispose();
        optimizer.Dispose();
    }

    [Fact]
    public void Evaluation_sees_the_bits_that_training_sees_whatever_stands_beside()
    {
        using var kernels = new CpuKernels(2);
        using var parameters = Tiny.Parameters(_shape);
        using var training = new Transformer(parameters.Layout, kernels, Batch, Length);
        using var evaluating = new Transformer(parameters.Layout, kernels, 1, Length, training: false);
        using var gradients = Parameters.NewBuffer(parameters.Layout);
        var (tokens, targets) = Text(Batch * Length, 1);
        var (together, alone) = (new double[Batch], new double[1]);
        training.SequenceLosses(parameters, tokens, targets, Batch, Length, together);
        for (var i = 0; i < Batch; i++)
        {
            var (from, to) = (i * Length, (i + 1) * Length);
            evaluating.SequenceLosses(parameters, tokens.AsSpan(from..to), targets.AsSpan(from..to), 1, Length, alone);
            Assert.Equal(together[i], alone[0]);
            Assert.Equal(together[i], training.ForwardBackward(parameters, gradients, tokens.AsSpan(from..to), targets.AsSpan(from..to), 1, Length));
        }
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        using var kernels = new CpuKernels(2);
        using var parameters = Tiny.Parameters(_shape);
        using var optimizer = new OptimizerState(parameters.Layout);
        using var transformer = new Transformer(parameters.Layout, kernels, Batch, Length);
        using var gradients = Parameters.NewBuffer(parameters.Layout);
        var (tokens, targets) = Text(Batch * Length, 1);
        var losses = new double[Batch];
        long allocated = 0;
        for (var step = 0; step < 5; step++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            transformer.ForwardBackward(parameters, gradients, tokens, targets, Batch, Length);
            AdamW.Step(kernels, parameters.Span, gradients.Span, optimizer, new AdamWSettings(), 1e-3);
            transformer.SequenceLosses(parameters, tokens, targets, Batch, Length, losses);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        // The settings of the step are the only object.
        Assert.InRange(allocated, 0, 64);
    }

    [Fact]
    public void The_generator_says_the_same_on_fast_and_reference_kernels()
    {
        using var fast = new CpuKernels(2);
        using var slow = new ReferenceKernels();
        using var parameters = Tiny.Parameters(_shape);
        using var one = new Generator(parameters, fast);
        using var other = new Generator(parameters, slow);
        var settings = new SamplingSettings(Temperature: 0, TokensMax: 90);
        Assert.Equal(other.Generate([7, 8, 9], settings).ToArray(), one.Generate([7, 8, 9], settings).ToArray());
    }

    private static (Parameters Parameters, OptimizerState Optimizer, InnerLoopResult Result) Train(IKernels kernels, int steps)
    {
        var parameters = Initializer.Create(new ParameterLayout(_shape), 11);
        var optimizer = new OptimizerState(parameters.Layout);
        using var transformer = new Transformer(parameters.Layout, kernels, 16, Length);
        using var loop = new InnerLoop(transformer, new AdamWSettings(), new LearningRateSchedule(1e-2, 3, 50), 16, Length);
        return (parameters, optimizer, loop.Run(parameters, optimizer, Fill, 0, steps));
    }

    // Counting with a stride that differs from sequence to sequence: learnable, so that the golden losses fall.
    private static void Fill(int step, Span<int> tokens, Span<int> targets)
    {
        var (from, to) = Text(tokens.Length, step);
        from.CopyTo(tokens);
        to.CopyTo(targets);
    }

    private static (int[] Tokens, int[] Targets) Text(int count, int step)
    {
        var random = new SeededRandom(4, "text", step);
        var (tokens, targets) = (new int[count], new int[count]);
        for (var i = 0; i < count; i++)
        {
            tokens[i] = i % Length == 0 ? random.NextBelow(301) : targets[i - 1];
            targets[i] = (tokens[i] + 1) % 301;
        }

        return (tokens, targets);
    }

    private static (double Loss, float[] Gradients) Gradients(IKernels kernels, Parameters parameters, int batch)
    {
        using var transformer = new Transformer(parameters.Layout, kernels, batch, Length);
        using var gradients = Parameters.NewBuffer(parameters.Layout);
        var (tokens, targets) = Text(batch * Length, 1);
        var loss = transformer.ForwardBackward(parameters, gradients, tokens, targets, batch, Length);
        return (loss, gradients.Span.ToArray());
    }
}
