using System.CommandLine;
using System.Text.Json;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab wan node</c>: one member of a run without computing, started by <c>cairn lab wan --measure --network-only</c>.</summary>
internal static class WanNodeVerb
{
    private static readonly Option<string> Dir = new("--dir") { Description = "The run's folder.", Required = true };
    private static readonly Option<string> Name = new("--name") { Description = "The member.", Required = true };
    private static readonly Option<string?> Store = new("--store") { Description = "Where it puts its objects." };
    private static readonly Option<double> Compute = new("--compute") { Description = "Seconds that stand for a peer's inner steps.", DefaultValueFactory = _ => 20 };

    public static Command Create()
    {
        var node = new Command("node", "One member of a run without computing; cairn lab wan --measure --network-only starts them.") { Dir, Name, Store, Compute };
        node.Hidden = true;
        node.SetAction(async (parsed, cancellation) =>
        {
            var outcome = await WanNode.RunAsync(
                new WanNodeOptions(
                    parsed.GetValue(Dir)!, parsed.GetValue(Name)!, parsed.GetValue(Compute), parsed.GetValue(Store),
                    new StoreAccess { Writer = StoreAccess.FindWriter(null) }),
                cancellation);
            Console.WriteLine(JsonSerializer.Serialize(outcome, CliJson.Default.NodeOutcome));
            return outcome.Finished ? ExitCode.Success : ExitCode.Interrupted;
        });
        return node;
    }
}
