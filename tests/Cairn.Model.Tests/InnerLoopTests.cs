using Cairn.Compute;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Model.Tests;

public sealed class InnerLoopTests
{
    private const int Batch = 2;
    private const int Length = 9;
    private static readonly LearningRateSchedule _schedule = new(3e-3, 2, 100);

    [Fact]
    public void A_replay_gives_the_same_trace_and_the_same_bits_and_another_batch_another_trace()
    {
        using var first = new Bench();
        using var again = new Bench();
        using var other = new Bench();
        var a = first.Run(5);
        var b = again.Run(5);
        var c = other.Loop.Run(other.Local, other.Optimizer, (step, tokens, targets) => Bench.Fill(step + 1, tokens, targets), 0, 5);
        Assert.Equal(a.Trace, b.Trace);
        Assert.Equal(first.Local.Digest(), again.Local.Digest());
        Assert.Equal(first.Optimizer.Digest(), again.Optimizer.Digest());
        Assert.NotEqual(a.Trace, c.Trace);
        Assert.True(a.Completed);
    }

    [Fact]
    public void A_stop_ends_between_steps_and_the_steps_taken_are_told()
    {
        using var bench = new Bench();
        var seen = new List<InnerStep>();
        var result = bench.Loop.Run(bench.Local, bench.Optimizer, Bench.Fill, 10, 5, () => seen.Count == 3, seen.Add);
        Assert.False(result.Completed);
        Assert.Equal(3, result.Losses.Length);
        Assert.Equal(TrainingTrace.Of(result.Losses), result.Trace);
        Assert.Equal([0, 1, 2], seen.Select(step => step.Index));
        Assert.Equal(_schedule.At(11), seen[1].LearningRate);
        Assert.Equal(3, bench.Optimizer.Steps);
    }

    [Fact]
    public void Steps_taken_in_two_parts_equal_steps_taken_in_one()
    {
        using var whole = new Bench();
        using var parts = new Bench();
        whole.Run(6);
        parts.Run(2);
        parts.Loop.Run(parts.Local, parts.Optimizer, (step, tokens, targets) => Bench.Fill(step + 2, tokens, targets), 2, 4);
        Assert.Equal(whole.Local.Digest(), parts.Local.Digest());
    }

    [Fact]
    public void Training_learns_the_batch_it_sees()
    {
        using var bench = new Bench();
        var result = bench.Loop.Run(bench.Local, bench.Optimizer, (_, tokens, targets) => Bench.Fill(0, tokens, targets), 0, 60);
        Assert.True(result.Losses[^1] < 0.6 * result.Losses[0], $"{result.Losses[0]} → {result.Losses[^1]}");
        Assert.Equal(0, result.Skipped);
    }

    [Fact]
    public void The_pseudo_gradient_leads_from_the_base_to_the_local_parameters()
    {
        using var bench = new Bench();
        using var start = bench.Local.Clone();
        bench.Run(3);
        using var delta = Parameters.NewBuffer(start.Layout);
        PseudoGradient.Compute(start.Span, bench.Local.Span, delta.Span);
        OuterStep.Apply(start.Span, delta.Span, 1);
        for (var i = 0; i < delta.Length; i++)
        {
            Assert.Equal(bench.Local.Span[i], start.Span[i], 1e-7);
        }
    }

    [Fact]
    public void An_outer_step_rounds_the_product_then_the_difference()
    {
        var parameters = Enumerable.Range(0, 1003).Select(i => (i * 0.37f) - 100).ToArray();
        var before = (float[])parameters.Clone();
        var direction = Enumerable.Range(0, 1003).Select(i => (i % 7 * 0.3f) - 1e-3f).ToArray();
        OuterStep.Apply(parameters, direction, 0.7f);
        for (var i = 0; i < parameters.Length; i++)
        {
            var change = 0.7f * direction[i];
            Assert.Equal(before[i] - change, parameters[i]);
        }
    }

    [Fact]
    public void A_samples_loss_does_not_depend_on_its_company()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var wide = new Transformer(parameters.Layout, kernels, 4, Length);
        using var narrow = new Transformer(parameters.Layout, kernels, 1, Length, training: false);
        var (together, alone) = (new double[7], new double[7]);
        LossEvaluation.PerSample(wide, parameters, Bench.Fill, Length, together);
        LossEvaluation.PerSample(narrow, parameters, Bench.Fill, Length, alone);
        Assert.Equal(together, alone);
        Assert.Equal(together.Sum() / 7, LossEvaluation.Mean(wide, parameters, Bench.Fill, Length, 7), 1e-12);
    }

    [Fact]
    public void Both_baselines_learn()
    {
        using var kernels = new ReferenceKernels();
        using var start = Initializer.Create(new ParameterLayout(Tiny.Shape()), 1);
        using var transformer = new Transformer(start.Layout, kernels, Batch, Length);
        using var alone = start.Clone();
        using var baseline = new AdamWBaseline(transformer, alone, new AdamWSettings(), _schedule, Batch, Length);
        var course = baseline.Train(30, (step, tokens, targets) => Bench.Fill(step % 2, tokens, targets));
        Assert.Equal(30, baseline.StepsTaken);
        Assert.True(course.Losses[^1] < course.Losses[0] - 0.5);

        using var shared = start.Clone();
        using var diloco = new DilocoBaseline(transformer, shared, 2, new AdamWSettings(), _schedule, Batch, Length);
        var before = LossEvaluation.Mean(transformer, shared, Bench.Fill, Length, 2);
        for (var round = 0; round < 4; round++)
        {
            diloco.Round(6, worker => (_, tokens, targets) => Bench.Fill(worker, tokens, targets));
        }

        Assert.Equal(24, diloco.StepsTaken);
        Assert.True(LossEvaluation.Mean(transformer, shared, Bench.Fill, Length, 2) < before - 0.3);
    }

    private sealed class Bench : IDisposable
    {
        private readonly ReferenceKernels _kernels = new();
        private readonly Transformer _transformer;

        public Bench()
        {
            Local = Tiny.Parameters(Tiny.Shape());
            Optimizer = new OptimizerState(Local.Layout);
            _transformer = new Transformer(Local.Layout, _kernels, Batch, Length);
            Loop = new InnerLoop(_transformer, new AdamWSettings(), _schedule, Batch, Length);
        }

        public Parameters Local { get; }

        public OptimizerState Optimizer { get; }

        public InnerLoop Loop { get; }

        public InnerLoopResult Run(int steps) => Loop.Run(Local, Optimizer, Fill, 0, steps);

        public static void Fill(int step, Span<int> tokens, Span<int> targets)
        {
            Tiny.Tokens(tokens.Length, 37, (ulong)step).CopyTo(tokens);
            tokens[1..].CopyTo(targets);
            targets[^1] = tokens[0];
        }

        public void Dispose()
        {
            Loop.Dispose();
            _transformer.Dispose();
            Optimizer.Dispose();
            Local.Dispose();
            _kernels.Dispose();
        }
    }
}
