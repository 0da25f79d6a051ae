using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Training;

/// <summary>H inner steps of AdamW from the base: the work of a peer in one round (SparseLoCo, arXiv:2508.15706, inner optimization).</summary>
/// <remarks>Holds the gradient and the batch; its steps allocate nothing. Not safe for two callers at once.</remarks>
public sealed class InnerLoop : IDisposable
{
    private readonly Transformer _transformer;
    private readonly AdamWSettings _settings;
    private readonly LearningRateSchedule _schedule;
    private readonly FloatBuffer _gradients;
    private readonly int[] _tokens;
    private readonly int[] _targets;

    /// <summary>Takes memory for a gradient and a batch.</summary>
    /// <param name="transformer">For training; stays the caller's.</param>
    /// <param name="settings">The optimizer's numbers.</param>
    /// <param name="schedule">The learning rate of every step of the run.</param>
    /// <param name="batch">Sequences per step.</param>
    /// <param name="length">Tokens per sequence.</param>
    public InnerLoop(Transformer transformer, AdamWSettings settings, LearningRateSchedule schedule, int batch, int length)
    {
        Invariant.Check(batch > 0 && length > 0 && length <= transformer.LengthMax && (long)batch * length <= transformer.RowsMax);
        Invariant.Check(settings.Faults().Count == 0 && schedule.Faults().Count == 0);
        (_transformer, _settings, _schedule, Batch, Length) = (transformer, settings, schedule, batch, length);
        _gradients = Parameters.NewBuffer(transformer.Layout);
        _tokens = new int[batch * length];
        _targets = new int[batch * length];
    }

    /// <summary>Sequences per step.</summary>
    public int Batch { get; }

    /// <summary>Tokens per sequence.</summary>
    public int Length { get; }

    /// <summary>Takes steps. The same inputs give the same bits in parameters, state, losses and trace (Tier T2 with the CPU kernels).</summary>
    /// <param name="local">The base at the beginning; changed in place.</param>
    /// <param name="optimizer">Changed in place.</param>
    /// <param name="batches">Gives the batch of each step.</param>
    /// <param name="firstStep">The run's inner step that the first of these is: places them on the schedule.</param>
    /// <param name="steps">How many (H).</param>
    /// <param name="stop">Asked before every step; true ends the work there. Null never ends it.</param>
    /// <param name="progress">Told after every step; may be null.</param>
    /// <param name="schedule">The learning rate of these steps where it is another than the loop's own; else null.</param>
    public InnerLoopResult Run(
        Parameters local, OptimizerState optimizer, BatchSource batches, long firstStep, int steps, Func<bool>? stop = null,
        Action<InnerStep>? progress = null, LearningRateSchedule? schedule = null)
    {
        Invariant.Check(steps >= 0 && firstStep >= 0);
        var losses = new double[steps];
        var (taken, skipped) = (0, 0);
        for (; taken < steps && stop?.Invoke() != true; taken++)
        {
            batches(taken, _tokens, _targets);
            var step = Step(local, optimizer, taken, (schedule ?? _schedule).At(firstStep + taken));
            losses[taken] = step.Loss;
            skipped += double.IsFinite(step.GradientNorm) ? 0 : 1;
            progress?.Invoke(step);
        }

        Array.Resize(ref losses, taken);
        return new InnerLoopResult(losses, taken == steps, skipped, TrainingTrace.Of(losses));
    }

    private InnerStep Step(Parameters local, OptimizerState optimizer, int index, double rate)
    {
        var loss = _transformer.ForwardBackward(local, _gradients, _tokens, _targets, Batch, Length);
        var norm = AdamW.Step(_transformer.Kernels, local.Span, _gradients.Span, optimizer, _settings, rate);
        return new InnerStep(index, loss, norm, rate);
    }

    /// <inheritdoc/>
    public void Dispose() => _gradients.Dispose();
}
