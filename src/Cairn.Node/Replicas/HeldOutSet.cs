using Cairn.Data;
using Cairn.Model;
using Cairn.Training;

namespace Cairn.Node;

/// <summary>A loss on held-out text.</summary>
/// <param name="Loss">Nats per token.</param>
/// <param name="BitsPerByte">Bits per byte of the same text.</param>
internal readonly record struct HeldOutLoss(double Loss, double BitsPerByte);

/// <summary>The evaluation split: for people, it decides nothing.</summary>
internal sealed class HeldOutSet(DataSet data, int length)
{
    /// <summary>Measures parameters on samples spread evenly over the split.</summary>
    /// <param name="engine">Computes.</param>
    /// <param name="parameters">Whose loss.</param>
    /// <param name="samplesMax">How many samples; all if there are fewer.</param>
    public HeldOutLoss Measure(Engine engine, Parameters parameters, int samplesMax)
    {
        var all = data.HeldOut.SampleCount(length);
        var count = (int)Math.Min(all, samplesMax);
        var loss = LossEvaluation.Mean(
            engine.Transformer, parameters, (i, tokens, targets) => data.HeldOut.CopySample(i * all / count, length, tokens, targets), length, count);
        var bytes = 0L;
        for (var i = 0; i < count; i++)
        {
            bytes += data.HeldOutBytes(i * all / count, length);
        }

        return new HeldOutLoss(loss, loss * count * length / (Math.Log(2) * Math.Max(1, bytes)));
    }
}
