using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Chaos;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn chaos</c>: a run of real processes over a real S3 server, while things go wrong.</summary>
internal static class ChaosVerb
{
    private const double RoundsPerMinute = 12;

    // Whatever is said on the trial's chain is waited for until eight blocks of a quarter of a second stand on it.
    private const double RoundsPerMinuteOnChain = 4;
    private static readonly Option<string?> Dir = new("--dir")
    {
        Description = "Where everything of it lies. Default: a folder of the system for passing files, deleted if all held.",
    };

    private static readonly Option<int> Peers = new("--peers") { Description = "Peers.", DefaultValueFactory = _ => 6 };
    private static readonly Option<int> Validators = new("--validators") { Description = "Validators.", DefaultValueFactory = _ => 3 };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "How long things go wrong.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int?> Rounds = new("--rounds") { Description = "Rounds of the run. Default: 12 for each minute, on a chain 4." };
    private static readonly Option<string> Preset = new("--preset") { Description = "Size of the model.", DefaultValueFactory = _ => "pico" };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "From which the strikes follow.", DefaultValueFactory = _ => 1 };
    private static readonly Option<string[]> Strikes = new("--strikes")
    {
        Description = $"Kinds of strikes: {string.Join(", ", ChaosKinds.All.Distinct())}. Default: all.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "End with one line of JSON." };

    public static Command Create()
    {
        var chaos = new Command(
            "chaos",
            "Runs peers and validators as processes over a real S3 server, and kills them, stops them, cuts and slows their lines, fills a disk and damages " +
            "objects. Then everything is put right, and it is checked: every node at the quorum's base, every sample trained once, the ledger verified, the loss " +
            "within 3 % of a run in peace. With --ledger evm a chain orders the ledger (Anvil, on this machine), whose node is killed, stopped and reorganised too; " +
            "and what anybody reads from the chain alone must be what the nodes have.\n\n" +
            "Needs the Debian packages radosgw, ceph-mon, ceph-osd and ceph-common.\n\n" +
            "Examples:  cairn chaos --peers 6 --validators 3 --minutes 5 --seed 1\n           cairn chaos --ledger evm --minutes 5")
        {
            Dir, Peers, Validators, Minutes, Rounds, Preset, Seed, FoundingOptions.Data, FoundingOptions.ApplyDelay, ChainConfig.Ledger, Strikes, Json,
        };
        chaos.SetAction(RunAsync);
        return chaos;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var minutes = parsed.GetValue(Minutes);
        var given = parsed.GetValue(Dir);
        var onChain = parsed.GetValue(ChainConfig.Ledger) == ChainConfig.OnChain;
        var folder = given ?? Directory.CreateTempSubdirectory("cairn-chaos-").FullName;
        var options = new ChaosOptions(
            folder, parsed.GetValue(Peers), parsed.GetValue(Validators), minutes, parsed.GetValue(Preset)!,
            parsed.GetValue(Rounds)
                ?? Math.Max(5, (int)(minutes * (onChain ? RoundsPerMinuteOnChain : RoundsPerMinute))),
            parsed.GetValue(Seed), parsed.GetValue(FoundingOptions.Data) ?? [],
            parsed.GetValue(FoundingOptions.ApplyDelay), onChain, parsed.GetValue(Strikes) ?? []);
        options.Validate();
        Directory.CreateDirectory(folder);
        var report = await new ChaosTrial(options, Console.WriteLine).RunAsync(cancellation);
        Write(report, Console.Out);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.ChaosReport));
        }

        if (report.Holds && given is null)
        {
            Directory.Delete(folder, recursive: true);
        }
        else
        {
            Console.WriteLine($"everything lies in {folder}");
        }

        return report.Holds ? ExitCode.Success : ExitCode.Disagreement;
    }

    private static void Write(ChaosReport report, TextWriter output)
    {
        output.WriteLine($"\n{report.Rounds} rounds in {report.Seconds:F0} s, {report.Empty} of them empty, the longest {report.LongestRoundSeconds:F0} s");
        output.WriteLine($"strikes   {string.Join(", ", report.Strikes.Select(strike => $"{strike.Key} {strike.Value}"))}; {report.Restarts} restarts");
        output.WriteLine($"loss      {report.Loss:F4}, in peace {report.LossUndisturbed:F4} ({100 * ((report.Loss / report.LossUndisturbed) - 1):+0.0;-0.0} %)");
        output.WriteLine($"base      {report.BaseDigest}");
        foreach (var skipped in report.Skipped)
        {
            output.WriteLine($"left out  {skipped}");
        }

        foreach (var fault in report.Faults)
        {
            output.WriteLine($"FAULT     {fault}");
        }

        output.WriteLine(report.Holds ? "everything held" : "NOT everything held");
    }
}
