using Cairn.Base;

namespace Cairn.Model;

/// <summary>How the next token is chosen.</summary>
/// <param name="Temperature">0 takes the likeliest token; higher is freer.</param>
/// <param name="TopP">Only the likeliest tokens that together reach this probability are drawn from; in 0…1, 0 excluded (Holtzman et al.
/// 2020).</param>
/// <param name="TokensMax">The most tokens to generate; 0 or more.</param>
/// <param name="Seed">Fixes the draws: the same seed gives the same text.</param>
/// <param name="EndToken">Generation ends when this token is chosen; it is not handed out. Null never ends.</param>
public sealed record SamplingSettings(double Temperature = 0.8, double TopP = 0.95, int TokensMax = 256, ulong Seed = 0, int? EndToken = null)
{
    /// <summary>Refuses settings that cannot be used, with all faults at once.</summary>
    /// <exception cref="InputException">A value is out of its range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        if (!double.IsFinite(Temperature) || Temperature < 0)
        {
            faults.Add($"temperature {Temperature} must be 0 or more");
        }

        if (TopP is not (> 0 and <= 1))
        {
            faults.Add($"top-p {TopP} must lie in 0…1, 0 excluded");
        }

        if (TokensMax < 0)
        {
            faults.Add($"{TokensMax} tokens must not be negative");
        }

        if (faults.Count > 0)
        {
            throw new InputException("the sampling settings cannot be used: " + string.Join("; ", faults));
        }
    }
}
