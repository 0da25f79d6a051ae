using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Training;

/// <summary>Puts in the place of a worker's pseudo-gradient what the others receive of it.</summary>
/// <param name="pseudoGradientN">The dense pseudo-gradient in the order of the layout; changed in place.</param>
public delegate void Transmission(Span<float> pseudoGradientN);

/// <summary>Dense DiLoCo (arXiv:2311.08105), simulated by one process worker after worker: H inner steps of AdamW each, the mean of the
/// full pseudo-gradients,
/// a Nesterov outer step. What SparseLoCo is honestly compared with at the same H.</summary>
public sealed class DilocoBaseline : IDisposable
{
    private readonly InnerLoop _loop;
    private readonly Parameters _local;
    private readonly OptimizerState[] _optimizers;
    private readonly FloatBuffer _mean;
    private readonly FloatBuffer _momentum;
    private readonly float _outerRate;
    private readonly float _outerMomentum;
    private readonly Transmission? _transmission;

    /// <summary>Begins at given parameters.</summary>
    /// <param name="transformer">For training; stays the caller's.</param>
    /// <param name="parameters">The base, changed every round; stays the caller's.</param>
    /// <param name="workers">How many; at least 1.</param>
    /// <param name="settings">The inner optimizer's numbers.</param>
    /// <param name="schedule">The inner learning rate.</param>
    /// <param name="batch">Sequences per worker and step.</param>
    /// <param name="length">Tokens per sequence.</param>
    /// <param name="outerRate">Outer learning rate; the paper's 0.7.</param>
    /// <param name="outerMomentum">Outer Nesterov momentum; the paper's 0.9.</param>
    /// <param name="transmission">What compression leaves of each pseudo-gradient; null for all of it.</param>
    public DilocoBaseline(
        Transformer transformer, Parameters parameters, int workers, AdamWSettings settings, LearningRateSchedule schedule, int batch, int length,
        float outerRate = 0.7f, float outerMomentum = 0.9f, Transmission? transmission = null)
    {
        Invariant.Check(workers > 0);
        (Parameters, _outerRate, _outerMomentum, _transmission) = (parameters, outerRate, outerMomentum, transmission);
        _loop = new InnerLoop(transformer, settings, schedule, batch, length);
        _local = parameters.Clone();
        _optimizers = new OptimizerState[workers];
        for (var i = 0; i < workers; i++)
        {
            _optimizers[i] = new OptimizerState(parameters.Layout);
        }

        _mean = Parameters.NewBuffer(parameters.Layout);
        _momentum = Parameters.NewBuffer(parameters.Layout);
    }

    /// <summary>The base.</summary>
    public Parameters Parameters { get; }

    /// <summary>Inner steps taken so far by every worker.</summary>
    public long StepsTaken { get; private set; }

    /// <summary>One round: every worker takes H steps from the base, then the base moves.</summary>
    /// <param name="steps">H.</param>
    /// <param name="batchesOf">Gives the batches of a worker.</param>
    /// <param name="progress">Told after every inner step of every worker; may be null.</param>
    /// <returns>What each worker's steps told, in order.</returns>
    public InnerLoopResult[] Round(int steps, Func<int, BatchSource> batchesOf, Action<InnerStep>? progress = null)
    {
        var results = new InnerLoopResult[_optimizers.Length];
        _mean.Span.Clear();
        for (var worker = 0; worker < results.Length; worker++)
        {
            _local.CopyFrom(Parameters);
            results[worker] = _loop.Run(_local, _optimizers[worker], batchesOf(worker), StepsTaken, steps, null, progress);
            PseudoGradient.Compute(Parameters.Span, _local.Span, _local.Span);
            _transmission?.Invoke(_local.Span);
            AddPart(_mean.Span, _local.Span, 1f / results.Length);
        }

        NesterovStep(Parameters.Span, _mean.Span, _momentum.Span);
        StepsTaken += steps;
        return results;
    }

    private static void AddPart(Span<float> mean, ReadOnlySpan<float> pseudoGradient, float part)
    {
        for (var i = 0; i < mean.Length; i++)
        {
            mean[i] += pseudoGradient[i] * part;
        }
    }

    // v ← μ·v + g; θ ← θ − α·(g + μ·v) (Sutskever et al. 2013, as libraries write it).
    private void NesterovStep(Span<float> parameters, ReadOnlySpan<float> gradient, Span<float> momentum)
    {
        for (var i = 0; i < parameters.Length; i++)
        {
            momentum[i] = (_outerMomentum * momentum[i]) + gradient[i];
            parameters[i] -= _outerRate * (gradient[i] + (_outerMomentum * momentum[i]));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _loop.Dispose();
        _local.Dispose();
        _mean.Dispose();
        _momentum.Dispose();
        foreach (var optimizer in _optimizers)
        {
            optimizer.Dispose();
        }
    }
}
