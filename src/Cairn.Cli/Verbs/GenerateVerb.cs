using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Cairn.Base;
using Cairn.Cli.Examination;
using Cairn.Compute;
using Cairn.Data;
using Cairn.Model;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn generate</c>: talks to a checkpoint.</summary>
internal static class GenerateVerb
{
    // The cache of what was read is as long as this: published models name contexts for which no memory suffices.
    private const int ContextMax = 8192;

    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "A run's folder (its newest checkpoint is taken), a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file. " +
            "Default: the newest run.",
    };

    private static readonly Option<string> Prompt = new("--prompt") { Description = "How the text begins.", DefaultValueFactory = _ => "The" };
    private static readonly Option<double> Temperature = new("--temperature")
    {
        Description = "0 takes the likeliest token each time; higher is freer.",
        DefaultValueFactory = _ => 0.7,
    };

    private static readonly Option<double> TopP = new("--top-p")
    {
        Description = "Draw only from the likeliest tokens that together reach this probability.",
        DefaultValueFactory = _ => 0.95,
    };

    private static readonly Option<ulong> Seed = new("--seed") { Description = "Same seed, same text.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> TokensMax = new("--max-tokens")
    {
        Description = "The most tokens to generate.",
        DefaultValueFactory = _ => 128,
    };

    private static readonly Option<int> Threads = new("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => 1 };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON instead of streaming." };

    public static Command Create()
    {
        var command = new Command(
            "generate",
            "Continues a prompt with a trained model, streaming to the terminal.\n\n" +
            "Example:  cairn generate --dir runs/swarm-1 --prompt \"Returns the\" --temperature 0.7")
        {
            Dir, Prompt, Temperature, TopP, Seed, TokensMax, Threads, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parsed)
    {
        var (parameters, tokenizer) = Examiner.Load(parsed.GetValue(Dir) ?? RunFolders.Newest());
        using var owned = parameters;
        using var kernels = new CpuKernels(Math.Clamp(parsed.GetValue(Threads), 1, 256));
        using var generator = new Generator(parameters, kernels, Math.Min(parameters.Shape.Context, ContextMax));
        var settings = new SamplingSettings(
            parsed.GetValue(Temperature), parsed.GetValue(TopP), parsed.GetValue(TokensMax), parsed.GetValue(Seed), tokenizer.EosId);
        settings.Validate();
        var json = parsed.GetValue(Json);
        var prompt = parsed.GetValue(Prompt)!;
        var ids = prompt.Length == 0 ? [tokenizer.BosId ?? tokenizer.EosId] : (int[])[.. tokenizer.BosId is { } begin ? [begin] : (int[])[], .. tokenizer.Encode(prompt)];
        var (text, count, clock) = (new System.Text.StringBuilder(prompt), 0, Stopwatch.StartNew());
        var decoder = new StreamingDecoder(tokenizer);
        void Emit(string piece)
        {
            text.Append(piece);
            if (!json)
            {
                Console.Write(piece);
                Console.Out.Flush();
            }
        }

        // Refuses before anything is printed.
        var continuation = generator.Generate(ids, settings);
        if (!json)
        {
            Console.Write(prompt);
        }

        foreach (var id in continuation)
        {
            count++;
            Emit(decoder.Append(id));
        }

        Emit(decoder.Finish());
        Console.WriteLine(json
            ? JsonSerializer.Serialize(new GeneratedText(text.ToString(), count, clock.Elapsed.TotalSeconds), CliJson.Default.GeneratedText)
            : "");
        return ExitCode.Success;
    }
}
