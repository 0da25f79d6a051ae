using Cairn.Data;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>A loss on held-out text.</summary>
/// <param name="Loss">Nats per token.</param>
/// <param name="BitsPerByte">Bits per byte of the same text.</param>
/// <param name="StandardError">Of the loss, over samples.</param>
internal readonly record struct HeldOutLoss(double Loss, double BitsPerByte, double StandardError = double.NaN);

/// <summary>The evaluation split: for people, it decides nothing.</summary>
internal sealed class HeldOutSet(DataSet data, int length)
{
    /// <summary>How many samples are measured where so many are wanted.</summary>
    /// <param name="samplesMax">All if there are fewer.</param>
    public int CountOf(int samplesMax) => (int)Math.Min(data.HeldOut.SampleCount(length), samplesMax);

    /// <summary>The loss of each of the samples that are measured, nats per token.</summary>
    /// <param name="engine">Computes.</param>
    /// <param name="parameters">Whose losses.</param>
    /// <param name="samplesMax">How many samples, spread evenly over the split; all if there are fewer.</param>
    public double[] Losses(Engine engine, Parameters parameters, int samplesMax)
    {
        var (all, losses) = (data.HeldOut.SampleCount(length), new double[CountOf(samplesMax)]);
        LossEvaluation.PerSample(
            engine.Transformer, parameters, (i, tokens, targets) => data.HeldOut.CopySample(i * all / losses.Length, length, tokens, targets), length, losses);
        return losses;
    }

    /// <summary>Measures parameters on samples spread evenly over the split.</summary>
    /// <param name="engine">Computes.</param>
    /// <param name="parameters">Whose loss.</param>
    /// <param name="samplesMax">How many samples; all if there are fewer.</param>
    public HeldOutLoss Measure(Engine engine, Parameters parameters, int samplesMax)
    {
        var (all, losses) = (data.HeldOut.SampleCount(length), Losses(engine, parameters, samplesMax));
        var (loss, count, bytes) = (losses.Average(), losses.Length, 0L);
        for (var i = 0; i < count; i++)
        {
            bytes += data.HeldOutBytes(i * all / count, length);
        }

        var squares = losses.Sum(one => (one - loss) * (one - loss));
        return new HeldOutLoss(
            loss, loss * count * length / (Math.Log(2) * Math.Max(1, bytes)), count > 1 ? Math.Sqrt(squares / (count - 1) / count) : double.PositiveInfinity);
    }
}
