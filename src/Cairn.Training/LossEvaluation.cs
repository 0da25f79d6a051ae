using Cairn.Base;
using Cairn.Model;

namespace Cairn.Training;

/// <summary>Losses of samples under given parameters, forward only: held-out loss for people, probes for the validator.</summary>
public static class LossEvaluation
{
    /// <summary>The loss of each sample. How many are computed together changes no bit.</summary>
    /// <param name="transformer">Any; its working memory decides how many samples go together.</param>
    /// <param name="parameters">Of the transformer's layout.</param>
    /// <param name="samples">Gives each sample.</param>
    /// <param name="length">Tokens per sample.</param>
    /// <param name="losses">One per sample: receives nats per token.</param>
    public static void PerSample(Transformer transformer, Parameters parameters, SampleSource samples, int length, Span<double> losses)
    {
        Invariant.Check(length > 0 && length <= transformer.LengthMax);
        var together = Math.Min(transformer.RowsMax / length, Math.Max(losses.Length, 1));
        var tokens = new int[together * length];
        var targets = new int[together * length];
        for (var first = 0; first < losses.Length; first += together)
        {
            var count = Math.Min(together, losses.Length - first);
            for (var i = 0; i < count; i++)
            {
                samples(first + i, tokens.AsSpan(i * length, length), targets.AsSpan(i * length, length));
            }

            transformer.SequenceLosses(
                parameters, tokens.AsSpan(0, count * length), targets.AsSpan(0, count * length), count, length, losses.Slice(first, count));
        }
    }

    /// <summary>The mean over samples, summed in order in double.</summary>
    /// <param name="transformer">Any.</param>
    /// <param name="parameters">Of the transformer's layout.</param>
    /// <param name="samples">Gives each sample.</param>
    /// <param name="length">Tokens per sample.</param>
    /// <param name="count">Samples; at least 1.</param>
    /// <returns>Nats per token.</returns>
    public static double Mean(Transformer transformer, Parameters parameters, SampleSource samples, int length, int count)
    {
        Invariant.Check(count > 0);
        var losses = new double[count];
        PerSample(transformer, parameters, samples, length, losses);
        var sum = 0.0;
        foreach (var loss in losses)
        {
            sum += loss;
        }

        return sum / count;
    }
}
