using Cairn.Data;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>The same prompt and seed for every sample of a run and of its baselines, so that they can be compared.</summary>
internal static class SampleText
{
    private const string Prompt = "Gets the";
    private const int TokensMax = 60;

    public static string Of(Tokenizer tokenizer, Engine engine, Parameters parameters)
    {
        using var generator = new Generator(parameters, engine.Kernels);
        var prompt = tokenizer.Encode(Prompt);
        var tokens = generator.Generate(prompt, new SamplingSettings(Temperature: 0.7, TokensMax: TokensMax, Seed: 1)).ToArray();

        // Texts are short here: what follows an end is the beginning of another.
        var text = new System.Text.StringBuilder(Prompt);
        for (var (at, end) = (0, 0); at < tokens.Length; at = end + 1)
        {
            end = Array.IndexOf(tokens, tokenizer.EosId, at) is >= 0 and var found ? found : tokens.Length;
            text.Append(tokenizer.DecodeText(tokens.AsSpan(at..end))).Append(end < tokens.Length ? " | " : "");
        }

        return text.ToString();
    }
}
