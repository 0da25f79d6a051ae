using Cairn.Data;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>The same prompt and seed for every sample of a run, so that before and after can be compared.</summary>
internal static class SampleText
{
    private const string Prompt = "Gets the";
    private const int TokensMax = 60;

    public static string Of(RunContext run, Engine engine, Parameters parameters)
    {
        using var generator = new Generator(parameters, engine.Kernels);
        var tokenizer = run.Data.Tokenizer;
        var prompt = tokenizer.Encode(Prompt);
        var tokens = generator.Generate(prompt, new SamplingSettings(Temperature: 0.7, TokensMax: TokensMax, Seed: 1, EndToken: tokenizer.EosId)).ToArray();
        return Prompt + tokenizer.DecodeText(tokens);
    }
}
