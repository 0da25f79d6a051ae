using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Inference;

/// <summary>How a model is held and how much of it runs at once.</summary>
/// <param name="Precision">Of the matrices.</param>
/// <param name="Threads">That share a pass, 1 to 1024.</param>
/// <param name="Context">The longest text in tokens, at most the model's; null takes the model's.</param>
/// <param name="CacheTokens">Tokens of all texts together whose keys and values are kept, at least one text's; null takes four texts'.</param>
public sealed record BatchModelOptions(MatrixPrecision Precision = MatrixPrecision.F32, int Threads = 1, int? Context = null, int? CacheTokens = null)
{
    /// <summary>Refuses what does not fit the model, with all faults at once.</summary>
    /// <param name="shape">The model's.</param>
    /// <exception cref="InputException">A value is out of its range.</exception>
    public void Validate(ModelShape shape)
    {
        var faults = new List<string>();
        if (Threads is < 1 or > 1024)
        {
            faults.Add($"threads {Threads} must lie in 1…1024");
        }

        if (Context is { } context && (context < 1 || context > shape.Context))
        {
            faults.Add($"context {context} must lie in 1…{shape.Context}, the model's");
        }

        if (CacheTokens is { } tokens && (tokens < (Context ?? shape.Context) || tokens > 1 << 28))
        {
            faults.Add($"cache of {tokens} tokens must hold one text of {Context ?? shape.Context} and at most {1 << 28}");
        }

        if (faults.Count > 0)
        {
            throw new InputException("the model cannot be served so: " + string.Join("; ", faults));
        }
    }
}
