using System.CommandLine;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn run create</c>: a run whose nodes are started one by one.</summary>
internal static class RunCreateVerb
{
    private static readonly Option<string> Dir = new("--dir") { Description = "The run's folder.", Required = true };
    private static readonly Option<int?> Places = new("--places")
    {
        Description = "Most peers in a round. With more than --peers, anybody may join while it goes on.",
    };

    private static readonly Option<int?> StageSeconds = new("--stage-seconds")
    {
        Description = "How long validators wait in a stage for those who are late, in seconds. Default: what the slowest machine may take.",
    };

    private static readonly Option<string?> Store = new("--store")
    {
        Description = "Where the run's objects are, and with what everybody may read them: s3://bucket/prefix?endpoint=https://host&reader=key:secret, or a folder. " +
            "Default: the run's own folder.",
    };

    public static Command Create()
    {
        var command = new Command(
            "create",
            "Creates a run: data, rules, the keys of its first members, the ledger. Then start each node by itself, and let others join.\n\n" +
            "Example:  cairn run create --dir runs/ours --peers 2 --places 8 --rounds 40\n          cairn validator --dir runs/ours --name validator-1\n" +
            "          cairn peer --dir runs/ours --name peer-1");
        Option[] own = [Places, StageSeconds, FoundingOptions.Threads, Store, NodeConfig.StoreKeys];
        foreach (var option in (IEnumerable<Option>)[Dir, .. FoundingOptions.OfRules, .. ChainConfig.OfFounding, .. own])
        {
            command.Options.Add(option);
        }

        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var folder = parsed.GetValue(Dir)!;
        var options = FoundingOptions.Read(parsed, folder) with
        {
            Places = parsed.GetValue(Places),
            StageSeconds = parsed.GetValue(StageSeconds),
            Chain = ChainConfig.Read(parsed),
        };
        options.Validate();
        var store = parsed.GetValue(Store) is { } text && !text.Contains("://", StringComparison.Ordinal) ? Path.GetFullPath(text) : parsed.GetValue(Store);
        var access = new StoreAccess { Writer = StoreAccess.FindWriter(parsed.GetValue(NodeConfig.StoreKeys)) };
        if (store?.Contains("://", StringComparison.Ordinal) == true
            && (await StoreCheck.RunAsync(store, access, cancellation)).FirstOrDefault(step => step.Fault.Length > 0) is { Fault.Length: > 0 } wrong)
        {
            throw new InputException($"the store will not do ({wrong.Step}): {wrong.Fault.TrimEnd('.')}; cairn store create makes a bucket that will.");
        }

        var rules = await Task.Run(() => Swarm.Found(options, store, access, Console.WriteLine, cancellation), cancellation);
        var directory = new RunDirectory(folder);
        Console.WriteLine(
            $"created run {rules.Name}: {rules.Round.Rounds} rounds of at most {rules.PeersMax} peers, " +
            $"{rules.Model.ParameterCount:N0} parameters, rules {rules.ComputeDigest().ToString()[..8]}");
        Console.WriteLine(
            $"in each round {rules.Round.ProbedPeers} of at most {rules.PeersMax} updates are probed, on {rules.Round.ProbeSequences} sequences" +
            (rules.Round.ProbedPeers < rules.PeersMax ? ": few, so that idlers are found late (--probes, docs/threats.md)" : string.Empty));
        Console.WriteLine("\nstart its nodes, each in a terminal of its own:");
        foreach (var summary in RunSummary.Read(directory).Members)
        {
            Console.WriteLine($"  ./cairn {(summary.Role == "Peer" ? "peer" : "validator")} --dir {RunFolders.Quoted(folder)} --name {summary.Name}");
        }

        if (rules.PeersMax > options.Peers)
        {
            Console.WriteLine(HowToJoin(directory, folder));
        }

        return ExitCode.Success;
    }

    /// <summary>What to tell whoever wants to join; or how to find out, where an invite would tell the world the key with which its owner asks the chain.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="folder">Its folder as the user calls it.</param>
    internal static string HowToJoin(RunDirectory directory, string folder) => Invite.NeedsNodes(directory)
        ? "\nand for whoever wants to join make an invite: say in it which nodes of the chain to ask, since the address that you gave may hold a key of yours:\n" +
            $"  ./cairn run invite --dir {RunFolders.Quoted(folder)} --public-rpc https://…"
        : $"\nand whoever wants to join, under a name of its own:\n  ./cairn join {Invite.Of(directory)} --name alice";
}
