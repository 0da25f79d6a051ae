using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run show</c>: what a run is and where it stands, from its own files alone; <c>pause</c>, <c>continue</c> and <c>leave</c>: what its members say
/// on its ledger.</summary>
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
        return new Command("run", "Creates runs, looks at them, stops them, lets them go on and changes their rules.")
        {
            RunCreateVerb.Create(),
            JoinVerb.Invite(),
            show,
            Samples(),
            ContributionVerb.Create(),
            EvaluatorVerb.Evaluations(),
            Vote("pause", true, "Stops a run before its next round, by the votes of its validators; nothing is lost, and no round counts as missed."),
            Vote("continue", false, "Lets a paused run go on."),
            RulesVerbs.Rules(Dir, Json),
            RulesVerbs.Propose(Dir),
            RulesVerbs.Vote(Dir),
            Leave(),
        };
    }

    private static Command Samples()
    {
        var samples = new Command(
            "samples",
            "Counts from the ledger alone who trained on which samples, by signed receipts, and whether each was trained exactly once an epoch.\n\n" +
            "Example:  cairn run samples --dir runs/swarm-1")
        {
            Dir, Json,
        };
        samples.SetAction(parsed =>
        {
            var audit = SampleAudit.Of(new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest()));
            Console.WriteLine(parsed.GetValue(Json) ? audit.ToJsonLine() : SampleAuditView.Of(audit));
            return audit.Holds ? ExitCode.Success : ExitCode.Disagreement;
        });
        return samples;
    }

    private static Command Vote(string name, bool paused, string what)
    {
        var by = new Option<string[]>("--as")
        {
            Description = "Which validators vote. Default: all whose keys lie in the run's folder.",
            AllowMultipleArgumentsPerToken = true,
        };
        var vote = new Command(name, $"{what}\n\nExample:  cairn run {name} --dir runs/swarm-1") { Dir, by, ChainConfig.Rpc, ChainConfig.Account, ChainConfig.FeeMax };
        vote.SetAction(async (parsed, cancellation) =>
        {
            var directory = new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest());
            var names = parsed.GetValue(by) ?? [];
            var stopped = directory.Places.Chain is null ? MemberVoice.VotePause(directory, paused, names)
                : await ChainVoices.VotePauseAsync(directory, paused, names, ChainConfig.ReadNode(parsed), cancellation);
            Console.WriteLine(
                stopped == paused ? $"{directory.Root} {(paused ? "stops when its round has ended: cairn run continue lets it go on" : "goes on")}"
                : "voted; validators with two thirds of all bond are needed");
            return ExitCode.Success;
        });
        return vote;
    }

    private static Command Leave()
    {
        var member = new Option<string>("--member") { Description = "Who leaves.", Required = true };
        var leave = new Command("leave", "Lets a member leave a run for good.\n\nExample:  cairn run leave --member peer-2 --dir runs/swarm-1")
        {
            member, Dir, ChainConfig.Rpc, ChainConfig.Account, ChainConfig.FeeMax,
        };
        leave.SetAction(async (parsed, cancellation) =>
        {
            var (directory, name) = (new RunDirectory(parsed.GetValue(Dir) ?? RunFolders.Newest()), parsed.GetValue(member)!);
            var until = directory.Places.Chain is null ? MemberVoice.Leave(directory, name)
                : await ChainVoices.LeaveAsync(directory, name, ChainConfig.ReadNode(parsed), cancellation);
            Console.WriteLine(
                $"{name} is in no later round; keep it running until this one has ended. What is left of its bond is paid out when round {until} has ended");
            return ExitCode.Success;
        });
        return leave;
    }
}
