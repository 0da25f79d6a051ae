using System.CommandLine;
using System.Text.Json;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn train</c>: the same model, data and engine by one process with ordinary AdamW.</summary>
internal static class TrainVerb
{
    private static readonly Option<string> Dir = new("--dir")
    {
        Description = "Where data, state and checkpoint lie.",
        DefaultValueFactory = _ => Path.Combine("runs", "train"),
    };

    private static readonly Option<int> Steps = new("--steps") { Description = "Optimizer steps.", DefaultValueFactory = _ => 600 };
    private static readonly Option<int?> Batch = new("--batch")
    {
        Description = "Sequences per step. Default: what four peers of a swarm take together.",
    };

    private static readonly Option<double?> Rate = new("--rate") { Description = "Peak learning rate. Default: the preset's." };
    private static readonly Option<string> Precision = new("--precision")
    {
        Description = "fp32, or bf16: faster, but not the same bits on every machine.",
        DefaultValueFactory = _ => "fp32",
    };

    private static readonly Option<bool> Resume = new("--resume")
    {
        Description = "Go on where the training in the folder stopped, with the options that it was begun with.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the report as one line of JSON and nothing else." };

    public static Command Create()
    {
        var command = new Command(
            "train", "Trains a model by one process with AdamW: the centralised baseline of a swarm.\n\nExample:  cairn train --preset nano --steps 600 --dir runs/train")
        {
            Dir, FoundingOptions.Preset, Steps, Batch, Rate, FoundingOptions.Data, FoundingOptions.TextField, FoundingOptions.Seed, FoundingOptions.Threads,
            Precision, Resume, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (directory, resume) = (parsed.GetValue(Dir)!, parsed.GetValue(Resume));
        var kept = resume ? SoloOptionsFile.Read(directory) : null;
        T Chosen<T>(Option<T> option, Func<SoloOptions, T> before) =>
            kept is not null && (parsed.GetResult(option) is null or { Implicit: true }) ? before(kept) : parsed.GetValue(option)!;
        var options = new SoloOptions
        {
            Directory = directory,
            Preset = Chosen(FoundingOptions.Preset, o => o.Preset),
            Steps = Chosen(Steps, o => o.Steps),
            Batch = Chosen(Batch, o => o.Batch),
            Rate = Chosen(Rate, o => o.Rate),
            Data = Chosen(FoundingOptions.Data, o => [.. o.Data]) ?? [],
            TextField = Chosen(FoundingOptions.TextField, o => o.TextField),
            Seed = Chosen(FoundingOptions.Seed, o => o.Seed),
            Threads = parsed.GetValue(FoundingOptions.Threads),
            Precision = Chosen(Precision, o => o.Precision),
            Resume = resume,
        };
        options.Validate();
        var json = parsed.GetValue(Json);
        void Tell(string line)
        {
            if (!json)
            {
                Console.WriteLine(line);
            }
        }

        var report = SoloTraining.Run(
            options, Tell,
            p => Tell(
                $"step {p.Step,6}/{p.Steps}  train {p.TrainLoss:F4}  held-out {p.HeldOut:F4} nats/token  " +
                $"{p.BitsPerByte:F3} bits/byte  {p.TokensPerSecond,8:N0} tokens/s"),
            cancellation);
        Console.WriteLine(json
            ? JsonSerializer.Serialize(report, CliJson.Default.SoloReport)
            : $"\n{report.Tokens:N0} tokens   held-out loss {report.LossInitial:F4} → {report.LossFinal:F4} nats/token   " +
              $"{report.BitsPerByteInitial:F3} → {report.BitsPerByteFinal:F3} bits/byte\n" +
              $"the model lies in {report.Checkpoint}\n\ntry next:\n  ./cairn generate --dir {RunFolders.Quoted(report.Checkpoint)} --prompt \"Returns the\"" +
              (report.Finished ? "" : $"\n  ./cairn train --resume --dir {RunFolders.Quoted(options.Directory)}"));
        return Task.FromResult(report.Finished ? ExitCode.Success : ExitCode.Interrupted);
    }
}
