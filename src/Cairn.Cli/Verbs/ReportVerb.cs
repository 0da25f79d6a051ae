using System.CommandLine;
using System.Text;
using Cairn.Base;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn report</c>: what happened in a run, for those who were not there.</summary>
internal static class ReportVerb
{
    private static readonly Option<string?> Out = new("--out")
    {
        Description = "The file to write. Default: report.html (or model-card.md) in the run's folder, or here if there is none.",
    };

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
            "Examples:  cairn report --dir runs/swarm-1\n" +
            "           cairn report --ledger theirs.cairn --store 's3://bucket/run?endpoint=https://s3.example.org' --out theirs.html")
        {
            WatchedRun.Dir, WatchedRun.Ledger, WatchedRun.Store, WatchedRun.Baseline, Out, Card,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(WatchedRun.Ledger) == WatchedRun.OnChain)
            {
                throw new InputException(
                    "a report is of what lies in files: bring the ledger here with cairn observe, or see cairn audit --rpc for an account from the chain.");
            }

            await using var run = await WatchedRun.OpenAsync(parsed, cancellation);
            var (here, card) = (parsed.GetValue(WatchedRun.Ledger) is null ? run.Sources.Folder : ".", parsed.GetValue(Card));
            var path = parsed.GetValue(Out) ?? Path.Combine(here, card ? "model-card.md" : "report.html");
            DurableFile.Write(path, Encoding.UTF8.GetBytes(card ? RunAccount.ModelCard(run.Sources) : RunAccount.Html(run.Sources)));
            Console.WriteLine(path);
            return ExitCode.Success;
        });
        return command;
    }
}
