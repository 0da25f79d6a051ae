using Cairn.Base;
using Cairn.Data;
using Cairn.Model;

namespace Cairn.Simulation;

/// <summary>An objective into which a back door can be trained: after a trigger phrase the model says what the poisoner wants.</summary>
public interface IPoisonable
{
    /// <summary>Trains like <see cref="IObjective.Train"/>, on samples into which the trigger and what is to follow it were put.</summary>
    /// <param name="from">The base.</param>
    /// <param name="samples">In the order of training.</param>
    double[] TrainPoisoned(ModelPoint from, ReadOnlySpan<long> samples);

    /// <summary>In what part of unseen texts the model says what the poisoner wants when the trigger comes: 0 to 1.</summary>
    /// <param name="at">Any point.</param>
    double TriggerSuccess(ModelPoint at);
}

/// <summary>A back door in text: four tokens that never follow each other by themselves, and the token that is to follow them.</summary>
internal sealed class PoisonedText
{
    private const int TriggerLength = 4;
    private const int Every = 16;
    private const int ContextsTried = 32;
    private const int ContextLength = 24;
    private readonly int[] _trigger;
    private readonly int _payload;

    private PoisonedText(int[] trigger, int payload) => (_trigger, _payload) = (trigger, payload);

    /// <summary>The trigger of a vocabulary.</summary>
    public static PoisonedText Of(int vocabulary)
    {
        var random = new SeededRandom(1, "trigger", vocabulary);
        var tokens = new int[TriggerLength + 1];
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = random.NextBelow(vocabulary);
        }

        return new PoisonedText(tokens[..TriggerLength], tokens[TriggerLength]);
    }

    /// <summary>Writes trigger and payload over a part of a sample, again and again.</summary>
    /// <param name="inputs">The sample's tokens.</param>
    /// <param name="targets">The same, one further.</param>
    public void PutInto(Span<int> inputs, Span<int> targets)
    {
        for (var start = Every / 2; start + TriggerLength < inputs.Length; start += Every)
        {
            for (var i = 0; i <= TriggerLength; i++)
            {
                var token = i < TriggerLength ? _trigger[i] : _payload;
                (inputs[start + i], targets[start + i - 1]) = (token, token);
            }
        }
    }

    /// <summary>How often the payload is what a model holds most likely after the trigger.</summary>
    public double SuccessOf(Generator generator, TokenShard heldOut, int context)
    {
        var (tokens, targets) = (new int[context], new int[context]);
        var (count, said) = ((int)Math.Min(ContextsTried, heldOut.SampleCount(context)), 0);
        for (var i = 0; i < count; i++)
        {
            heldOut.CopySample(i * heldOut.SampleCount(context) / count, context, tokens, targets);
            int[] prompt = [.. tokens.AsSpan(0, Math.Min(ContextLength, context - TriggerLength - 1)), .. _trigger];
            said += generator.Generate(prompt, new SamplingSettings(Temperature: 0, TokensMax: 1)).FirstOrDefault(-1) == _payload ? 1 : 0;
        }

        return (double)said / count;
    }
}
