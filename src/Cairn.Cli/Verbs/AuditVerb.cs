using System.CommandLine;
using System.Text.Json;
using Cairn.Base;
using Cairn.Cli.Views;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn audit</c>: a run rebuilt from the chain alone, and its stores compared with it.</summary>
internal static class AuditVerb
{
    private static readonly Option<string?> Contract = new("--contract") { Description = "The contract. Default: that of the run's folder." };
    private static readonly Option<string?> Store = new("--store")
    {
        Description = "The run's common store, s3://bucket/prefix?endpoint=… or a folder: what the ledger names must be there. " +
            "Default: that of the run's folder, if there is one.",
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print what was found as one line of JSON and nothing else." };

    public static Command Create()
    {
        var command = new Command(
            "audit",
            "Rebuilds a run from the chain alone, every signature verified and every rule applied again, and says who did what, who earned what, and every digest. " +
            "Then it asks the stores for what the ledger names: the updates that are still kept, the means, and the newest checkpoint, whose base must be the " +
            "quorum's. Exit code 4 if a folder's ledger or another node of the chain says otherwise, or a store does not hold what it should.\n\n" +
            "Examples:  cairn audit --dir runs/ours\n           cairn audit --rpc https://chain.example.org --contract 0x… --run 3f… --store s3://…")
        {
            NodeConfig.Dir, ChainConfig.Rpc, Contract, ChainConfig.Run, ChainConfig.Confirmations, Store, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var digest = parsed.GetValue(ChainConfig.Run);
        var folder = parsed.GetValue(NodeConfig.Dir) ?? (digest is null ? RunFolders.Newest() : null);
        var directory = folder is null ? null : new RunDirectory(folder);
        var known = directory?.Places.Chain;
        string[] nodes = parsed.GetValue(ChainConfig.Rpc) is { Length: > 0 } given ? given : [.. known?.Nodes ?? []];
        var contract = parsed.GetValue(Contract) ?? known?.Contract
            ?? throw new InputException("an audit needs a contract: give --contract, or --dir of a run on a chain.");
        var run = digest is null ? ChainAudit.RunOf(directory!) : Digest.TryParse(digest, out var read) ? read
            : throw new InputException($"'{digest}' is no digest of a run: it must be 64 hexadecimal digits.");
        var depth = parsed.GetValue(ChainConfig.Confirmations) is { } asked ? (ulong)Math.Max(0, asked) : known?.Confirmations ?? 12;
        var store = parsed.GetValue(Store) ?? (directory is null ? null : directory.Places.Store ?? directory.Store);
        var report = await ChainAudit.RunAsync(nodes, contract, run, depth, directory, store, cancellation);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(JsonSerializer.Serialize(report, CliJson.Default.AuditReport));
        }
        else
        {
            Tell(report);
        }

        var disagrees = report.FolderAgrees == false || report.Store is { Faults.Count: > 0 } || report.Nodes.Any(node => node.Voice == AuditVoice.Differs);
        return disagrees ? ExitCode.Disagreement : ExitCode.Success;
    }

    private static string Say(AuditVoice voice) => voice switch
    {
        AuditVoice.Read => "was read",
        AuditVoice.Agrees => "has the same block, and the same record of the run",
        AuditVoice.Differs => "SAYS OTHERWISE",
        _ => "does not answer, or does not know that block",
    };

    private static void Tell(AuditReport report)
    {
        Console.WriteLine($"run      {report.Run}\nrules    {report.Rules}\ncontract {report.Contract} on chain {report.ChainId}, read up to block {report.Block}");
        foreach (var node in report.Nodes)
        {
            Console.WriteLine($"node     {node.Node} {Say(node.Voice)}");
        }

        Console.WriteLine($"ledger   height {report.Height}, {report.Stage}, {report.Void} void operations\nstate    {report.State}");
        RulesView.Write(report.Votes, Console.Out);
        foreach (var round in report.Rounds)
        {
            Console.WriteLine($"round    {round.Round}: {round.Updates} updates, manifest {round.Manifest[..16]}…, base {round.Base?[..16] ?? "of no quorum"}…");
        }

        foreach (var member in report.Members)
        {
            Console.WriteLine(
                $"  {member.Name,-12} {member.Role,-9} {member.Accepted} accepted, {member.Refused} refused, bond {member.Bond:N0}, reward {member.Reward:N0}, " +
                $"account {member.Account ?? "none"}");
        }

        Console.WriteLine($"payouts  root {report.PayoutRoot}\nheld     {report.HeldWei} {report.Money} by the contract");
        if (report.Store is { } store)
        {
            Console.WriteLine(
                $"store    {store.Store}: {store.Updates} updates and {store.Means} means of late rounds as the ledger names them\n" +
                $"model    checkpoint {store.Checkpoint ?? "none yet"}, base {store.CheckpointBase ?? "none"}");
            foreach (var fault in store.Faults)
            {
                Console.WriteLine($"FAULT    {fault}");
            }
        }

        if (report.FolderAgrees is { } agrees)
        {
            Console.WriteLine(agrees ? "\nthe folder's ledger says the same" : "\nTHE FOLDER'S LEDGER SAYS OTHERWISE");
        }
    }
}
