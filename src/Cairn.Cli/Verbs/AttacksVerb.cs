using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.Attacks;
using Cairn.Simulation;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab attacks</c>: what cheats get out of real training, with and without judgement.</summary>
internal static class AttacksVerb
{
    private static readonly Option<string> Preset = Text("--preset", "Size of the model: pico, nano, micro, small, or larger.", "nano");
    private static readonly Option<string> Out = Text(
        "--out", "Where data, finished runs and table lie. Given again, what is finished there is not computed again.", Path.Combine("runs", "lab-attacks"));

    private static readonly Option<int> Peers = Number("--peers", "Peers in all, the cheats counted.", 12);
    private static readonly Option<int> Rounds = Number("--rounds", "Rounds of a run.", 20);
    private static readonly Option<int> InnerSteps = Number("--inner-steps", "Inner steps of a peer in a round.", 5);
    private static readonly Option<int> Batch = Number("--batch", "Sequences per inner step.", 8);
    private static readonly Option<int?> Probes = new("--probes")
    {
        Description = "Peers probed in a round. Default: all; a swarm's validators probe what they can while a peer trains.",
    };

    private static readonly Option<int> ProbeSequences = Number("--probe-sequences", "Sequences of a probe, half assigned, half held back.", 64);
    private static readonly Option<int> SeedCount = Number("--seed-count", "Seeds of each row.", 3);
    private static readonly Option<int> Threads = Number("--threads", "Runs side by side, a thread each. Changes no bit.", Environment.ProcessorCount);
    private static readonly Option<string[]> Adversaries = new("--adversaries")
    {
        Description = $"Which; all without it: {string.Join(", ", Conducts.PeerNames)}.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int[]> Percents = new("--percents")
    {
        Description = "Which parts of the peers cheat.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [10, 25, 33],
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print the table as one line of JSON; progress stays on the error stream." };
    private static readonly TextOptions Corpus = new();

    public static Command Create()
    {
        var attacks = new Command(
            "attacks",
            "Lets a simulated swarm train a real model with cheats among its peers, for every kind of cheat, with and without judgement; measures the loss " +
            "against a clean run with as many honest peers, and what the cheats are paid. Ctrl-C stops it; the same command goes on.\n\n" +
            "Examples:  cairn lab attacks --preset pico --seed-count 1\n           cairn lab attacks --adversaries sign-flip lazy sybil --percents 33")
        {
            Preset, Out, Peers, Rounds, InnerSteps, Batch, Probes, ProbeSequences, SeedCount, Adversaries, Percents, Threads, Json,
        };
        Corpus.AddTo(attacks);
        attacks.SetAction(RunAsync);
        return attacks;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var options = new AttackOptions(
            parsed.GetValue(Out)!, parsed.GetValue(Preset)!, parsed.GetValue(Peers), parsed.GetValue(Rounds), parsed.GetValue(InnerSteps), parsed.GetValue(Batch),
            parsed.GetValue(Probes), parsed.GetValue(ProbeSequences), parsed.GetValue(SeedCount),
            parsed.GetValue(Adversaries) ?? [], parsed.GetValue(Percents)!, parsed.GetValue(Threads), Corpus.Read(parsed));
        var (report, page, done, count) = await AttackLab.RunAsync(options, Console.Error.WriteLine, cancellation);
        if (report is null)
        {
            Console.Error.WriteLine($"stopped with {done} of {count} runs finished. Nothing of them is lost: the same command goes on; table.md holds what is there.");
            return ExitCode.Interrupted;
        }

        Console.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(report, AttackJson.Default.AttackReport) : page);
        Console.Error.WriteLine($"table.md and results.json lie in {RunFolders.Quoted(options.Out)}");
        return ExitCode.Success;
    }

    private static Option<int> Number(string name, string what, int value) => new(name) { Description = what, DefaultValueFactory = _ => value };

    private static Option<string> Text(string name, string what, string value) => new(name) { Description = what, DefaultValueFactory = _ => value };
}
