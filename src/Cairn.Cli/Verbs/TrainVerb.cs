using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn train</c>: the same model, data and engine by one process with ordinary AdamW.</summary>
internal static class TrainVerb
{
    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "Where data, state and checkpoint lie. Default: runs/train; with --like the folder baseline in that of the run.",
    };

    private static readonly Option<string?> Like = new("--like")
    {
        Description = "A run's folder: train its model on its samples in their order, as many tokens, to be shown beside it.",
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
            "train",
            "Trains a model by one process with AdamW: the centralised baseline of a swarm.\n\n" +
            "Examples:  cairn train --like runs/swarm-1\n           cairn train --preset nano --steps 600 --dir runs/train")
        {
            Dir, Like, FoundingOptions.Preset, Steps, Batch, Rate, FoundingOptions.Data, FoundingOptions.TextField, FoundingOptions.Seed, FoundingOptions.Threads,
            Precision, Resume, Json,
        };
        command.SetAction(Run);
        return command;
    }

    private static Task<int> Run(ParseResult parsed, CancellationToken cancellation)
    {
        var (like, resume) = (parsed.GetValue(Like) is { } named ? new RunDirectory(named) : null, parsed.GetValue(Resume));
        var directory = parsed.GetValue(Dir) ?? (like is null ? Path.Combine("runs", "train") : BaselineFile.FolderOf(like));
        var kept = resume ? SoloOptionsFile.Read(directory) : null;
        T Chosen<T>(Option<T> option, Func<SoloOptions, T> before) =>
            kept is not null && (parsed.GetResult(option) is null or { Implicit: true }) ? before(kept) : parsed.GetValue(option)!;
        var options = like is not null && kept is null ? Baseline(parsed, like, directory) with { Resume = resume } : new SoloOptions
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
            Like = like?.Root ?? kept?.Like,
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
              (options.Like is { } run ? $"\n  ./cairn dashboard --dir {RunFolders.Quoted(run)}{NamedIn(options)}" : "") +
              (report.Finished ? "" : $"\n  ./cairn train --resume --dir {RunFolders.Quoted(options.Directory)}"));
        return Task.FromResult(report.Finished ? ExitCode.Success : ExitCode.Interrupted);
    }

    private static SoloOptions Baseline(ParseResult parsed, RunDirectory run, string directory)
    {
        Option[] ofTheRun = [FoundingOptions.Preset, Batch, FoundingOptions.Data, FoundingOptions.TextField, FoundingOptions.Seed];
        var given = ofTheRun.Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name).ToList();
        if (given.Count > 0)
        {
            throw new InputException($"a training like a run takes {string.Join(", ", given)} from the run: leave that out.");
        }

        var options = SoloOptions.BaselineOf(run, directory);
        return options with
        {
            Steps = parsed.GetResult(Steps) is { Implicit: false } ? parsed.GetValue(Steps) : options.Steps,
            Rate = parsed.GetValue(Rate),
            Threads = parsed.GetValue(FoundingOptions.Threads),
            Precision = parsed.GetValue(Precision)!,
        };
    }

    // Where a dashboard looks by itself it need not be told.
    private static string NamedIn(SoloOptions options) => Path.GetFullPath(options.Directory) == BaselineFile.FolderOf(new RunDirectory(options.Like!)) ? ""
        : " --baseline " + RunFolders.Quoted(options.Directory);
}
