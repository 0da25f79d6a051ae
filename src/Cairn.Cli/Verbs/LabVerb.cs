using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab NAME</c>: experiments that compare methods on equal terms, in one process and without a network.</summary>
internal static class LabVerb
{
    private static readonly Option<string> Preset = new("--preset")
    {
        Description = "Size of the model: pico, nano, micro, small, or larger.",
        DefaultValueFactory = _ => "nano",
    };

    private static readonly Option<bool> Quick = new("--quick") { Description = "A first look: one seed, half the tokens, H of 15 and 30 only." };
    private static readonly Option<string> Out = new("--out")
    {
        Description = "Where data, finished cells, table and plot lie. Given again, what is finished there is not computed again.",
        DefaultValueFactory = _ => Path.Combine("runs", "lab-sparse"),
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Cells that are computed side by side, a thread each. Changes no bit.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<int?> SeedCount = new("--seed-count") { Description = "Seeds of the methods that get an error. Default: 3; quick: 1." };
    private static readonly Option<int?> Batch = new("--batch") { Description = "Sequences per peer and inner step. Default: 2; quick: 1." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the results as one line of JSON; progress stays on the error stream." };
    private static readonly TextOptions Text = new();

    public static Command Create()
    {
        var sparse = new Command(
            "sparse",
            "Trains one model by several methods that send little (data-parallel AdamW, DiLoCo, DiLoCo in 8 bits, DeMo, SparseLoCo) on the same data and tokens; " +
            "writes a table, its numbers and a plot. Ctrl-C stops it; the same command goes on.\n\n" +
            "Examples:  cairn lab sparse --quick\n           cairn lab sparse --preset nano --seed-count 3 --out runs/lab-sparse")
        {
            Preset, Quick, Out, Threads, SeedCount, Batch, Json,
        };
        Text.AddTo(sparse);
        sparse.SetAction(RunAsync);
        return new Command("lab", "Compares methods on equal terms.") { sparse, Quantizers(), Yuma(), AttacksVerb.Create(), WanVerb.Create() };
    }

    private static Command Quantizers()
    {
        var rounds = new Option<int>("--rounds") { Description = "Rounds to train.", DefaultValueFactory = _ => 5 };
        var folder = new Option<string>("--out") { Description = "Where the data lie.", DefaultValueFactory = _ => Path.Combine("runs", "lab-quantisers") };
        var preset = new Option<string>("--preset") { Description = "Size of the model: pico, nano, micro, small, or larger.", DefaultValueFactory = _ => "micro" };
        var threads = new Option<int>("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => Environment.ProcessorCount };
        var text = new TextOptions();
        var command = new Command(
            "quantisers",
            "Trains a few rounds as a swarm does and lets every quantiser encode what the peers really accumulated: bits per value, and what is lost of the values.\n\n" +
            "Example:  cairn lab quantisers --preset micro --rounds 5")
        {
            preset, rounds, folder, threads, Json,
        };
        text.AddTo(command);
        command.SetAction((parsed, cancellation) => Task.Run(
            () =>
            {
                var options = new LabOptions
                {
                    Directory = parsed.GetValue(folder)!,
                    Preset = parsed.GetValue(preset)!,
                    Threads = parsed.GetValue(threads),
                    Corpus = text.Read(parsed),
                };
                options.Validate();
                if (parsed.GetValue(rounds) is < 1 or > 10_000)
                {
                    throw new InputException($"--rounds is {parsed.GetValue(rounds)}, must be 1 to 10,000.");
                }

                var report = QuantizerLab.Run(options, parsed.GetValue(rounds), Console.Error.WriteLine, cancellation);
                Console.WriteLine(parsed.GetValue(Json) ? report.ToJsonLine() : report.ToString());
                return ExitCode.Success;
            },
            cancellation));
        return command;
    }

    private static Command Yuma()
    {
        var file = new Argument<string>("file") { Description = "JSON with epochs that a runtime has computed; docs/consensus.md tells its fields." };
        var command = new Command(
            "yuma",
            "Computes epochs of the stake-weighted consensus (Yuma 2 and 3) again and compares every number with what the chain's own runtime made of them. " +
            "Exit code 4 if any differs.\n\n" +
            "Example:  cairn lab yuma yuma-spec293.json --json")
        {
            file, Json,
        };
        command.SetAction(parsed =>
        {
            var check = YumaCheck.Run(YumaVectorFile.Load(parsed.GetValue(file)!));
            if (check.SpecVersion is not 0 and not YumaConsensus.SpecVersion)
            {
                Console.Error.WriteLine($"the file is of spec version {check.SpecVersion}; the rules computed here are those of {YumaConsensus.SpecVersion}.");
            }

            Console.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(check, CliJson.Default.YumaCheck) : Told(check));
            return check.Matched == check.Total ? ExitCode.Success : ExitCode.Disagreement;
        });
        return command;
    }

    private static string Told(YumaCheck check)
    {
        const int Shown = 10;
        var lines = check.Differences.Take(Shown).Select(difference => $"  {difference}").Prepend($"{check.Matched}/{check.Total} epochs are the same, bit for bit");
        return string.Join('\n', check.Differences.Count > Shown ? lines.Append($"  and {check.Differences.Count - Shown} more differences") : lines);
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new LabOptions
        {
            Directory = parsed.GetValue(Out)!,
            Preset = parsed.GetValue(Preset)!,
            Quick = parsed.GetValue(Quick),
            Threads = parsed.GetValue(Threads),
            SeedCount = parsed.GetValue(SeedCount),
            Batch = parsed.GetValue(Batch),
            Corpus = Text.Read(parsed),
        };
        options.Validate();
        var outcome = await SparseLab.RunAsync(options, Console.Error.WriteLine, Console.Error.WriteLine, cancellation);
        if (outcome.Report is not { } report)
        {
            Console.Error.WriteLine($"stopped with {outcome.CellsDone} of {outcome.Cells} cells finished. Nothing of them is lost: the same command goes on.");
            return ExitCode.Interrupted;
        }

        Console.WriteLine(parsed.GetValue(Json) ? report.ToJsonLine() : outcome.Markdown);
        Console.Error.WriteLine($"table.md, results.json and plot.svg lie in {RunFolders.Quoted(options.Directory)}");
        return ExitCode.Success;
    }
}
