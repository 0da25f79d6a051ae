using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run contribution</c>: what each peer's accepted updates did for held-out loss, beside its pay.</summary>
internal static class ContributionVerb
{
    private static readonly Option<string?> Dir = new("--dir") { Description = "The run's folder, with its data. Default: the newest under runs/." };
    private static readonly Option<int?> Round = new("--round") { Description = "Only this round, counted from 1." };
    private static readonly Option<int?> Last = new("--last") { Description = "Only the last so many rounds. Default: all whose updates are still stored." };
    private static readonly Option<int> Sequences = new("--sequences")
    {
        Description = "Held-out sequences to measure on, 2 to 100,000. More cost as much more, and narrow the errors by the root.",
        DefaultValueFactory = _ => 64,
    };

    private static readonly Option<int> Threads = new("--threads")
    {
        Description = "Threads to compute with. Changes no bit.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON; progress stays on the error stream." };

    public static Command Create()
    {
        var command = new Command(
            "contribution",
            "Measures what each peer's accepted updates did for the held-out loss: each stored round is made again with all of them and without each. " +
            "What was measured is kept in the run's folder; called now and then while a run goes on, the account grows over all of its rounds.\n\n" +
            "Example:  cairn run contribution --dir runs/swarm-1 --last 3")
        {
            Dir, Round, Last, Sequences, Threads, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (round, last, sequences) = (parsed.GetValue(Round), parsed.GetValue(Last), parsed.GetValue(Sequences));
        if (round is < 1 || last is < 1 || sequences is < 2 or > 100_000 || (round is not null && last is not null))
        {
            throw new InputException("--round and --last begin at 1 and one of them is enough; --sequences must be 2 to 100,000.");
        }

        var directory = new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest());
        var options = new ContributionOptions(round - 1, last ?? int.MaxValue, sequences, Math.Clamp(parsed.GetValue(Threads), 1, 256));
        var account = await ContributionMeasure.RunAsync(directory, options, line => Console.Error.WriteLine($"  {line}"), cancellation);
        Console.WriteLine(parsed.GetValue(Json) ? account.ToJsonLine() : ContributionView.Of(account));
        return ExitCode.Success;
    }
}
