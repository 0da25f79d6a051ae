using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;
using Cairn.Protocol;
using Spectre.Console;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn swarm</c>: several peers and validators train one model on this machine.</summary>
internal static class SwarmVerb
{
    private static readonly Dictionary<string, Combination> Combinations = new()
    {
        ["mean"] = Combination.Mean,
        ["selectors"] = Combination.MeanOfSelectors,
        ["support"] = Combination.Support,
        ["trimmed"] = Combination.TrimmedMean,
        ["votes"] = Combination.SignVote,
    };

    private static readonly Dictionary<string, Quantization> Quantizations = new()
    {
        ["sign-magnitude"] = Quantization.SignMagnitude,
        ["sign"] = Quantization.Sign,
        ["published"] = Quantization.Published,
    };

    private static readonly Dictionary<string, Coding> Codings = new() { ["small"] = Coding.Small, ["fast"] = Coding.Fast };

    private static readonly Option<int> Peers = new("--peers") { Description = "Peers that train.", DefaultValueFactory = _ => 4 };
    private static readonly Option<int> Validators = new("--validators")
    {
        Description = "Validators that check, score and close the rounds.",
        DefaultValueFactory = _ => 1,
    };

    private static readonly Option<string> Preset = new("--preset")
    {
        Description = "Size of the model: pico, nano, micro, small, or larger.",
        DefaultValueFactory = _ => "nano",
    };

    private static readonly Option<int?> Rounds = new("--rounds") { Description = "Rounds to train; overrides --minutes." };
    private static readonly Option<double> Minutes = new("--minutes")
    {
        Description = "About how long to train; becomes a number of rounds before round 0.",
        DefaultValueFactory = _ => 2,
    };

    private static readonly Option<string[]> Data = new("--data")
    {
        Description = "Text to train on: .txt, .md, .jsonl, or folders of them. Default: the documentation beside the .NET SDK.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<string> TextField = new("--text-field")
    {
        Description = "The field of JSON lines that holds the text.",
        DefaultValueFactory = _ => "text",
    };

    private static readonly Option<ulong> Seed = new("--seed") { Description = "Same seed, same model, bit for bit.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "The run's folder. Default: the next free runs/swarm-N; with --resume the newest.",
    };

    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on with the run in the folder, exactly where it stopped." };
    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with, in all.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<string> Combine = OneOf(
        "--combine", "How the updates of a round become one step (docs/aggregation.md).", "mean", Combinations.Keys);

    private static readonly Option<int?> Tolerated = new("--tolerated")
    {
        Description = "With --combine support or trimmed: how many liars to bear. Default: a quarter of the peers.",
    };

    private static readonly Option<string> Quantize = OneOf("--quantize", "How values become codes of 1 or 2 bits.", "sign", Quantizations.Keys);
    private static readonly Option<string> Coded = OneOf(
        "--coding", "How updates are written: small, or fast with every size fixed.", "small", Codings.Keys);

    private static readonly Option<bool> Compare = new("--compare")
    {
        Description = "Afterwards train the same model by one process at equal tokens (AdamW, and dense DiLoCo) and print the curves side by side.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the report as one line of JSON and nothing else." };

    public static Command Create()
    {
        var command = new Command(
            "swarm",
            "Trains one model with several peers and a validator on this machine, and leaves a checkpoint to talk to.\n\n" +
            "Examples:  cairn swarm\n           cairn swarm --peers 8 --preset micro --minutes 10 --data ~/books\n           cairn swarm --resume --dir runs/swarm-1")
        {
            Peers, Validators, Preset, Rounds, Minutes, Data, TextField, Seed, Dir, Resume, Threads, Combine, Tolerated, Quantize, Coded, Compare, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var resume = parsed.GetValue(Resume);
        var folder = parsed.GetValue(Dir) ?? (resume ? RunFolders.Newest() : RunFolders.NextFree());
        var options = new SwarmOptions
        {
            Directory = folder,
            Peers = parsed.GetValue(Peers),
            Validators = parsed.GetValue(Validators),
            Preset = parsed.GetValue(Preset)!,
            Rounds = parsed.GetValue(Rounds),
            Minutes = parsed.GetValue(Minutes),
            Data = parsed.GetValue(Data) ?? [],
            TextField = parsed.GetValue(TextField)!,
            Seed = parsed.GetValue(Seed),
            Threads = parsed.GetValue(Threads),
            Combination = Combinations[parsed.GetValue(Combine)!],
            Tolerated = parsed.GetValue(Tolerated),
            Quantization = Quantizations[parsed.GetValue(Quantize)!],
            Coding = Codings[parsed.GetValue(Coded)!],
            Resume = resume,
        };
        options.Validate();
        var json = parsed.GetValue(Json);
        SwarmOutcome outcome;
        using (var view = RunFolders.View(json))
        {
            if (resume && RulesGiven(parsed) is { Length: > 0 } given)
            {
                view.Prepare($"a run goes on by its own rules: {given} not used");
            }

            outcome = await Swarm.RunAsync(options, view.Show, view.Prepare, cancellation);
        }

        if (json)
        {
            Console.WriteLine(outcome.Report.ToJsonLine());
        }
        else
        {
            Tell(outcome, folder);
        }

        if (parsed.GetValue(Compare) && outcome.Finished)
        {
            await CompareAsync(folder, options.Threads, json, cancellation);
        }

        return outcome switch
        {
            { Halted.Count: > 0 } => ExitCode.Disagreement,
            { Finished: false } => ExitCode.Interrupted,
            _ => ExitCode.Success,
        };
    }

    private static Option<string> OneOf(string name, string description, string usual, IEnumerable<string> words)
    {
        var option = new Option<string>(name) { Description = description, DefaultValueFactory = _ => usual };
        return option.AcceptOnlyFromAmong([.. words]);
    }

    // Options that the rules settled when the run was begun.
    private static string RulesGiven(ParseResult parsed) => string.Join(
        ", ",
        new Option[] { Peers, Validators, Preset, Rounds, Minutes, Data, TextField, Seed, Combine, Tolerated, Quantize, Coded }
            .Where(option => parsed.GetResult(option) is { Implicit: false }).Select(option => option.Name));

    private static async Task CompareAsync(string folder, int threads, bool json, CancellationToken cancellation)
    {
        if (!json)
        {
            Console.WriteLine("\ntraining the same model without a network, for comparison:");
        }

        var report = await Comparison.RunAsync(folder, threads, line => (json ? Console.Error : Console.Out).WriteLine("  " + line), cancellation);
        if (json)
        {
            Console.WriteLine(System.Text.Encoding.UTF8.GetString(report.ToJson()).ReplaceLineEndings("").Replace("  ", "", StringComparison.Ordinal));
        }
        else
        {
            ComparisonView.Write(report, Console.Out);
        }
    }

    private static void Tell(SwarmOutcome outcome, string folder)
    {
        var report = outcome.Report;
        foreach (var halted in outcome.Halted)
        {
            Console.Error.WriteLine(
                $"cairn: {halted.Node} halted after round {halted.Round}: its base {halted.Own[..8]} differs from the quorum's {halted.Quorum[..8]} " +
                "even when computed again. " +
                $"Its state is kept in {Path.Combine(folder, "nodes", halted.Node)}; this machine or its memory may be faulty.");
        }

        if (!outcome.Finished)
        {
            Console.WriteLine($"\nstopped after round {report.Rounds}. Nothing is lost. Go on with:\n  ./cairn swarm --resume --dir {RunFolders.Quoted(folder)}");
            return;
        }

        Console.WriteLine();
        Console.WriteLine($"{report.Rounds} rounds, {report.Tokens:N0} tokens in {report.Seconds:N0} s ({report.TokensPerSecond:N0} tokens/s)");
        Console.WriteLine(
            $"held-out loss  {report.LossInitial:F4} → {report.LossFinal:F4} nats/token ({100 * (1 - (report.LossFinal / report.LossInitial)):F1} % lower)   " +
            $"{report.BitsPerByteInitial:F3} → {report.BitsPerByteFinal:F3} bits/byte");
        Console.WriteLine(
            $"an update      {report.BytesPerUpdate / 1024:F1} KiB, {report.BitsPerValue:F2} bits per value, {report.CompressionVsFp32:F0} times smaller than fp32");
        Console.WriteLine($"replicas       {(report.DigestAgreement ? "all the same bits" : "DIFFER")}   base {report.BaseDigest[..16]}…");
        foreach (var peer in report.PerPeer)
        {
            Console.WriteLine($"  {peer.Peer,-10} {peer.Accepted} accepted, {peer.Rejected} refused, share {100 * peer.Share:F1} %");
        }

        Console.WriteLine($"\nbefore: {Quote(outcome.SampleBefore)}\nafter:  {Quote(outcome.SampleAfter)}");
        Console.WriteLine($"\neverything lies in {folder}\nthe model in       {outcome.CheckpointFolder}\n\ntry next:");
        Console.WriteLine($"  ./cairn generate --dir {RunFolders.Quoted(folder)} --prompt \"Returns the\"");
        Console.WriteLine($"  ./cairn run show --dir {RunFolders.Quoted(folder)}");
        Console.WriteLine($"  ./cairn swarm --preset micro --minutes 10 --compare");
    }

    private static string Quote(string sample) => "“" + sample.Replace('\n', ' ').Trim() + "”";
}
