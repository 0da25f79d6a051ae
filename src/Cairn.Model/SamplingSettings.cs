using Cairn.Base;

namespace Cairn.Model;

/// <summary>How the next token is chosen.</summary>
/// <param name="Temperature">0 takes the likeliest token; higher is freer.</param>
/// <param name="TopP">Only the likeliest tokens that together reach this probability are drawn from; in 0…1, 0 excluded (Holtzman et al.
/// 2020).</param>
/// <param name="TokensMax">The most tokens to generate; 0 or more.</param>
/// <param name="Seed">Fixes the draws: the same seed gives the same text.</param>
/// <param name="EndToken">Generation ends when this token is chosen; it is not handed out. Null never ends.</param>
/// <remarks>Penalties and bias change the logits, the temperature divides them, and of what remains the <see cref="TopK"/> likeliest, of those that reach <see
/// cref="MinP"/>, of those the nucleus of <paramref name="TopP"/> are drawn from.</remarks>
public sealed record SamplingSettings(double Temperature = 0.8, double TopP = 0.95, int TokensMax = 256, ulong Seed = 0, int? EndToken = null)
{
    private const double BiasMax = 100;

    /// <summary>Only so many of the likeliest tokens are drawn from; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only tokens are drawn from that are at least this times as likely as the likeliest; in 0…1.</summary>
    public double MinP { get; init; }

    /// <summary>Logits of tokens that stand in the text already, prompt included, are divided by this, or multiplied if they are below 0 (Keskar et al. 2019);
    /// above 0, 1 for nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Taken from the logits of tokens that were generated already; −2…2.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Taken from the logits of tokens once for each time that they were generated; −2…2.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of tokens; each −100…100, which is never and always.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = new Dictionary<int, double>();

    /// <summary>True if logits are changed before anything is chosen.</summary>
    internal bool Adjusts => RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0 || LogitBias.Count > 0;

    /// <summary>Refuses settings that cannot be used, with all faults at once.</summary>
    /// <exception cref="InputException">A value is out of its range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Need(bool holds, string sentence)
        {
            if (!holds)
            {
                faults.Add(sentence);
            }
        }

        Need(double.IsFinite(Temperature) && Temperature >= 0, $"temperature {Temperature} must be 0 or more");
        Need(TopP is > 0 and <= 1, $"top-p {TopP} must lie in 0…1, 0 excluded");
        Need(TokensMax >= 0, $"{TokensMax} tokens must not be negative");
        Need(TopK >= 0, $"top-k {TopK} must not be negative");
        Need(MinP is >= 0 and <= 1, $"min-p {MinP} must lie in 0…1");
        Need(RepetitionPenalty is > 0 and <= 100, $"repetition penalty {RepetitionPenalty} must be above 0 and at most 100");
        Need(PresencePenalty is >= -2 and <= 2, $"presence penalty {PresencePenalty} must lie in -2…2");
        Need(FrequencyPenalty is >= -2 and <= 2, $"frequency penalty {FrequencyPenalty} must lie in -2…2");
        Need(LogitBias.All(bias => bias.Key >= 0 && bias.Value is >= -BiasMax and <= BiasMax), $"logit biases must be of tokens and lie in -{BiasMax}…{BiasMax}");
        if (faults.Count > 0)
        {
            throw new InputException("the sampling settings cannot be used: " + string.Join("; ", faults));
        }
    }
}
