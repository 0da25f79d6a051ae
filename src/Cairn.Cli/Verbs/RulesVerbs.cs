using System.CommandLine;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run rules</c>, <c>propose</c> and <c>vote</c>: the rules of a run, and how its validators change them while it goes on.</summary>
internal static class RulesVerbs
{
    private static readonly Option<string[]> By = new("--as")
    {
        Description = "Which validators vote. Default: all whose keys lie in the run's folder.",
        AllowMultipleArgumentsPerToken = true,
    };

    public static Command Rules(Option<string?> dir, Option<bool> json)
    {
        var rules = new Command(
            "rules",
            "Shows the rules of a run that votes can change, as they are now, what was changed and when, and what validators stand for.\n\n" +
            "Example:  cairn run rules --dir runs/swarm-1")
        {
            dir, json,
        };
        rules.SetAction(parsed =>
        {
            var read = RunRulesNow.Read(new RunDirectory(parsed.GetValue(dir) ?? RunFolders.Newest()));
            if (parsed.GetValue(json))
            {
                Console.WriteLine(read.ToJsonLine());
            }
            else
            {
                RulesView.Write(read, Console.Out);
            }

            return ExitCode.Success;
        });
        return rules;
    }

    public static Command Propose(Option<string?> dir)
    {
        var from = new Option<int>("--from") { Description = "The first round that the new values govern, counted from 1 as in cairn status.", Required = true };
        var set = new Option<string[]>("--set")
        {
            Description = "A rule and its new value, name=value as cairn run rules shows them; several times for several.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var propose = new Command(
            "propose",
            "Votes for other rules from an announced round on, by the validators whose keys are here. " +
            "Two thirds of all bond carry them, two rounds ahead at the latest.\n\n" +
            "Example:  cairn run propose --dir runs/swarm-1 --from 20 --set outerRate=0.65 --set stageSecondsMax=1200")
        {
            from, set, By, dir, ChainConfig.Rpc, ChainConfig.Account, ChainConfig.FeeMax,
        };
        propose.SetAction((parsed, cancellation) => VoteAsync(
            parsed, dir, new RulesVote.Propose(new Round(parsed.GetValue(from) - 1), [.. parsed.GetValue(set)!.Select(ChangeableRule.Read)]), cancellation));
        return propose;
    }

    public static Command Vote(Option<string?> dir)
    {
        var proposal = new Option<string?>("--for") { Description = "The first digits of a proposal, as cairn run rules shows it." };
        var none = new Option<bool>("--none") { Description = "Take the vote back." };
        var vote = new Command(
            "vote",
            "Votes for a change of the rules that other validators have proposed, or takes such a vote back.\n\n" +
            "Example:  cairn run vote --for 3f9a --dir runs/swarm-1 --as validator-2")
        {
            proposal, none, By, dir, ChainConfig.Rpc, ChainConfig.Account, ChainConfig.FeeMax,
        };
        vote.SetAction((parsed, cancellation) => VoteAsync(parsed, dir, (parsed.GetValue(proposal), parsed.GetValue(none)) switch
        {
            ({ Length: > 0 } named, false) => new RulesVote.Support(named),
            (null, true) => new RulesVote.TakeBack(),
            _ => throw new InputException("say what for: give either --for with a proposal (cairn run rules shows them), or --none."),
        }, cancellation));
        return vote;
    }

    private static async Task<int> VoteAsync(ParseResult parsed, Option<string?> dir, RulesVote vote, CancellationToken cancellation)
    {
        var directory = new RunDirectory(parsed.GetValue(dir) ?? RunFolders.Newest());
        var names = parsed.GetValue(By) ?? [];
        var after = directory.Places.Chain is null ? MemberVoice.VoteRules(directory, vote, names)
            : await ChainVoices.VoteRulesAsync(
                directory, vote, names, ChainConfig.ReadNode(parsed), cancellation);
        Console.WriteLine("voted");
        RulesView.Write(after, Console.Out);
        return ExitCode.Success;
    }
}
