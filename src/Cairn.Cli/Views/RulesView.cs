using Cairn.Node;

namespace Cairn.Cli.Views;

/// <summary>Rules that votes can change, for people; rounds are counted from 1.</summary>
internal static class RulesView
{
    public static void Write(RunRulesNow run, TextWriter output)
    {
        output.WriteLine($"run {run.Run}   round {run.Round + 1}/{run.Rounds}\n\nrule                   now");
        foreach (var rule in run.Now)
        {
            output.WriteLine($"{rule.Name,-22} {rule.Value}");
        }

        if (run.Anneal is { } anneal)
        {
            output.WriteLine($"\nanneals {anneal} (no vote changes that)");
        }

        output.WriteLine();
        Write(run.Votes, output);
        if (run.Votes is { Carried.Count: 0, Proposed.Count: 0 })
        {
            output.WriteLine("as the run began; nobody stands for others");
        }
    }

    /// <summary>A line for each change; nothing where there is none.</summary>
    public static void Write(RulesSummary rules, TextWriter output)
    {
        foreach (var version in rules.Carried)
        {
            output.WriteLine(
                $"rules {version.Number} {(version.InForce ? "hold since" : "will hold from")} round {version.From + 1}{(version.InForce ? "" : " on")}: " +
                $"{string.Join(", ", version.Changes)}   digest {version.Digest[..16]}");
        }

        foreach (var proposal in rules.Proposed)
        {
            output.WriteLine(
                $"proposed {proposal.Digest[..16]}, from round {proposal.From + 1} on: {string.Join(", ", proposal.Changes)}   " +
                $"{string.Join(", ", proposal.Voters)}: bond {proposal.Bond:N0} of {proposal.BondTotal:N0}, two thirds carry it");
        }
    }
}
