using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;
using Spectre.Console;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn swarm</c>: several peers and validators train one model on this machine.</summary>
internal static class SwarmVerb
{
    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "The run's folder. Default: the next free runs/swarm-N; with --resume the newest.",
    };

    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on with the run in the folder, exactly where it stopped." };
    private static readonly Option<bool> Compare = new("--compare")
    {
        Description = "Afterwards train the same model by one process at equal tokens (AdamW, and dense DiLoCo) and print the curves side by side.",
    };

    private static readonly Option<bool> NoDashboard = new("--no-dashboard")
    {
        Description = "Do not show the run in a browser. With --json it never is.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the report as one line of JSON and nothing else." };

    public static Command Create()
    {
        var command = new Command(
            "swarm",
            "Trains one model with several peers and a validator on this machine, and leaves a checkpoint to talk to.\n\n" +
            "Examples:  cairn swarm\n           cairn swarm --peers 8 --preset micro --minutes 10 --data ~/books\n           cairn swarm --resume --dir runs/swarm-1");
        Option[] options = [.. FoundingOptions.OfRules, .. ChainConfig.OfFounding, Dir, Resume, FoundingOptions.Threads, Compare, NoDashboard, Json];
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var resume = parsed.GetValue(Resume);
        var folder = parsed.GetValue(Dir) ?? (resume ? RunFolders.Newest() : RunFolders.NextFree());
        var options = FoundingOptions.Read(parsed, folder) with { Resume = resume, Chain = resume ? ChainConfig.ReadResumed(parsed) : ChainConfig.Read(parsed) };
        options.Validate();
        var json = parsed.GetValue(Json);
        SwarmOutcome outcome;
        using (var view = json || parsed.GetValue(NoDashboard) ? RunFolders.View(json) : new WatchedView(RunFolders.View(json), folder))
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

    // Options that the rules settled when the run was begun.
    private static string RulesGiven(ParseResult parsed) => string.Join(
        ", ",
        FoundingOptions.OfRules.Concat(ChainConfig.OfRun).Where(option => ChainConfig.IsGiven(parsed, option)).Select(option => option.Name));

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
            Console.Error.WriteLine(Failure.OfHalted(halted, folder));
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
            var busy = report.Utilisation?.FirstOrDefault(one => one.Peer == peer.Peer) is { } seen ? $", busy {100 * seen.Utilisation:F0} % of the time" : "";
            Console.WriteLine($"  {peer.Peer,-10} {peer.Accepted} accepted, {peer.Rejected} refused, share {100 * peer.Share:F1} %{busy}");
        }

        Console.WriteLine($"\nbefore: {Quote(outcome.SampleBefore)}\nafter:  {Quote(outcome.SampleAfter)}");
        Console.WriteLine($"\neverything lies in {folder}\nthe model in       {outcome.CheckpointFolder}\n\ntry next:");
        Console.WriteLine($"  ./cairn generate --dir {RunFolders.Quoted(folder)} --prompt \"Returns the\"");
        Console.WriteLine($"  ./cairn run show --dir {RunFolders.Quoted(folder)}");
        Console.WriteLine($"  ./cairn replay --dir {RunFolders.Quoted(folder)}");
        Console.WriteLine($"  ./cairn swarm --preset micro --minutes 10 --compare");
    }

    private static string Quote(string sample) => "“" + sample.Replace('\n', ' ').Trim() + "”";
}
