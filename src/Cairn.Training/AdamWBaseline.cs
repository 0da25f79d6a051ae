using Cairn.Model;

namespace Cairn.Training;

/// <summary>Ordinary training by one process with the same engine: what a swarm's result is honestly compared with, and what one machine
/// alone would do.</summary>
public sealed class AdamWBaseline : IDisposable
{
    private readonly InnerLoop _loop;
    private readonly OptimizerState _optimizer;

    /// <summary>Begins at given parameters.</summary>
    /// <param name="transformer">For training; stays the caller's.</param>
    /// <param name="parameters">Trained in place; stay the caller's.</param>
    /// <param name="settings">The optimizer's numbers.</param>
    /// <param name="schedule">The learning rate.</param>
    /// <param name="batch">Sequences per step: for an even comparison those of all peers of a swarm together.</param>
    /// <param name="length">Tokens per sequence.</param>
    public AdamWBaseline(
        Transformer transformer, Parameters parameters, AdamWSettings settings, LearningRateSchedule schedule, int batch, int length)
    {
        Parameters = parameters;
        _loop = new InnerLoop(transformer, settings, schedule, batch, length);
        _optimizer = new OptimizerState(parameters.Layout);
    }

    /// <summary>What is trained.</summary>
    public Parameters Parameters { get; }

    /// <summary>Its optimizer, to save and restore.</summary>
    public OptimizerState Optimizer => _optimizer;

    /// <summary>Steps taken so far; set to resume.</summary>
    public long StepsTaken { get; set; }

    /// <summary>Takes steps.</summary>
    /// <param name="steps">How many.</param>
    /// <param name="batches">Asked with 0 to <paramref name="steps"/> − 1.</param>
    /// <param name="stop">Asked before every step; may be null.</param>
    /// <param name="progress">Told after every step; may be null.</param>
    public InnerLoopResult Train(int steps, BatchSource batches, Func<bool>? stop = null, Action<InnerStep>? progress = null)
    {
        var result = _loop.Run(Parameters, _optimizer, batches, StepsTaken, steps, stop, progress);
        StepsTaken += result.Losses.Length;
        return result;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Dispose();
        _optimizer.Dispose();
    }
}
