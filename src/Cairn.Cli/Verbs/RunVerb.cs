using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run show</c>: what a run is and where it stands, from its own files alone.</summary>
internal static class RunVerb
{
    private static readonly Option<string?> Dir = new("--dir") { Description = "The run's folder. Default: the newest under runs/." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var show = new Command(
            "show",
            "Verifies a run's ledger from its first block and shows rules, members, rounds and checkpoints.\n\nExample:  cairn run show --dir runs/swarm-1")
        {
            Dir, Json,
        };
        show.SetAction(parsed =>
        {
            var summary = RunSummary.Read(new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest()));
            if (parsed.GetValue(Json))
            {
                Console.WriteLine(summary.ToJsonLine());
            }
            else
            {
                RunSummaryView.Write(summary, Console.Out);
            }

            return ExitCode.Success;
        });
        return new Command("run", "Looks at runs.") { show };
    }
}
