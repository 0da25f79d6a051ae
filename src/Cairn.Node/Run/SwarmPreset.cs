namespace Cairn.Node;

/// <summary>What a preset means beyond the shape of the model: measured defaults of the inner loop and of SparseLoCo.</summary>
/// <param name="InnerSteps">H.</param>
/// <param name="Batch">Sequences per inner step and peer.</param>
/// <param name="PeakRate">Learning rate after warm-up.</param>
/// <param name="WarmUpSteps">Inner steps of warm-up.</param>
/// <param name="OuterRate">α.</param>
/// <param name="ErrorDecay">β.</param>
internal sealed record SwarmPreset(int InnerSteps, int Batch, double PeakRate, int WarmUpSteps, double OuterRate, double ErrorDecay)
{
    /// <summary>The defaults for a model's name; larger models take the rate down with their width.</summary>
    public static SwarmPreset Of(string preset) => preset.ToLowerInvariant() switch
    {
        "pico" => new(10, 4, 6e-3, 10, 1.5, 0.95),
        "nano" => new(15, 8, 4e-3, 20, 1.5, 0.95),
        "micro" => new(15, 4, 3e-3, 30, 1.5, 0.95),
        "small" => new(15, 4, 2e-3, 40, 1.5, 0.95),
        _ => new(30, 4, 4e-4, 200, 1.0, 0.95),
    };
}
