using System.CommandLine;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run invite</c> and <c>cairn join</c>: how a stranger comes into a run by one string.</summary>
internal static class JoinVerb
{
    private static readonly Argument<string> Text = new("invite") { Description = "What cairn run invite printed." };
    private static readonly Option<string[]> PublicRpc = new("--public-rpc")
    {
        Description = "Of a run on a chain: the nodes of it that newcomers are to ask, http(s):// or ws(s)://; everybody learns these addresses. " +
            "Default: those that the run's folder names, if none of their addresses can hold a key.",
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<bool> Show = new("--show") { Description = "Print what the invite says, and do nothing else." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print how it ended as one line of JSON and nothing else." };

    public static Command Join()
    {
        var join = new Command(
            "join",
            "Joins a run by an invite: fetches its rules and data, verifies them, and trains as a peer of a new name. Ctrl-C stops it; cairn peer goes on.\n\n" +
            "Example:  cairn join cairn1-… --dir runs/theirs --name alice")
        {
            Text, Show, Json,
        };
        foreach (var option in NodeConfig.All)
        {
            join.Options.Add(option);
        }

        join.SetAction(RunAsync);
        return join;
    }

    public static Command Invite()
    {
        var invite = new Command(
            "invite",
            "Prints the string by which anybody can join a run: which run, where its ledger and its store are, and what its ledger says now.\n\n" +
            "Example:  cairn run invite --dir runs/ours")
        {
            NodeConfig.Dir, PublicRpc,
        };
        invite.SetAction(parsed =>
        {
            Console.WriteLine(Node.Invite.Of(new RunDirectory(parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest()), parsed.GetValue(PublicRpc)));
            return ExitCode.Success;
        });
        return invite;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        if (!Node.Invite.TryParse(parsed.GetValue(Text), out var invite))
        {
            throw new InputException("that is no invite, or not all of it: give the whole string that cairn run invite printed, which begins with cairn1-.");
        }

        if (parsed.GetValue(Show))
        {
            Console.WriteLine(
                $"run      {invite.Run}\nrules    {invite.Rules}\ngenesis  {invite.Genesis}\nledger   {invite.Ledger}\n" +
                $"state    {invite.State} at height {invite.Height}\nstore    {invite.Store}");
            return ExitCode.Success;
        }

        var (config, json) = (NodeConfig.Read(parsed), parsed.GetValue(Json));
        if (parsed.GetValue(NodeConfig.PrintConfig))
        {
            NodeVerb.Print(config);
            return ExitCode.Success;
        }

        NodeVerb.OptionsOf(Role.Peer, config, "").Validate();
        // The name comes from a stranger: of a folder it may be a part, no more.
        var run = string.Concat(invite.Run.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-'));
        var folder = config.Folder ?? Path.Combine("runs", $"{config.NodeName}-in-{run}");
        await RunSetup.JoinAsync(invite, new RunDirectory(folder), config.Chain.Nodes, json ? _ => { } : Console.WriteLine, cancellation);
        return await NodeVerb.RunAsync(Role.Peer, "peer", config, folder, json, cancellation);
    }
}
