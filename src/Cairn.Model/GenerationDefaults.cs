namespace Cairn.Model;

/// <summary>What a checkpoint tells those who talk to it.</summary>
/// <param name="BeginToken">The id that begins a text, or null.</param>
/// <param name="EndToken">The id that ends a text, or null.</param>
/// <param name="Temperature">Suggested temperature.</param>
/// <param name="TopP">Suggested nucleus.</param>
public sealed record GenerationDefaults(int? BeginToken = null, int? EndToken = null, double Temperature = 0.8, double TopP = 0.95)
{
    /// <summary>Further ids that end a text, such as the one that ends a turn of a conversation.</summary>
    public IReadOnlyList<int> OtherEnds { get; init; } = [];
}
