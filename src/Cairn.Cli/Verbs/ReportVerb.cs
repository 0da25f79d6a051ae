using System.CommandLine;
using System.Text;
using Cairn.Base;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn report</c>: what happened in a run, for those who were not there.</summary>
internal static class ReportVerb
{
    private static readonly Option<string?> Out = new("--out") { Description = "The file to write. Default: report.html in the run's folder, or model-card.md." };
    private static readonly Option<bool> Card = new("--hf-card")
    {
        Description = "Write the card of the newest checkpoint instead, in the form of Hugging Face: put it beside the model's files as README.md.",
    };

    public static Command Create()
    {
        var command = new Command(
            "report",
            "Writes an account of a run as one HTML file that needs nothing else: rules, curves, refusals, who gave and got what, texts, " +
            "provenance, how to do it again.\n\n" +
            "Example:  cairn report --dir runs/swarm-1")
        {
            WatchedRun.Dir, WatchedRun.Baseline, Out, Card,
        };
        command.SetAction(parsed =>
        {
            var directory = new RunDirectory(parsed.GetValue(WatchedRun.Dir) ?? RunFolders.Newest());
            var (sources, card) = (WatchedRun.SourcesOf(directory, parsed.GetValue(WatchedRun.Baseline)), parsed.GetValue(Card));
            var path = parsed.GetValue(Out) ?? Path.Combine(directory.Root, card ? "model-card.md" : "report.html");
            DurableFile.Write(path, Encoding.UTF8.GetBytes(card ? RunAccount.ModelCard(sources) : RunAccount.Html(sources)));
            Console.WriteLine(path);
            return ExitCode.Success;
        });
        return command;
    }
}
