using System.CommandLine;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn store create|check</c>: a place on S3 for a node, before it is needed.</summary>
internal static class StoreVerb
{
    private static readonly Argument<string> Place = new("place") { Description = "s3://bucket/prefix?endpoint=https://host" };

    public static Command Create()
    {
        var create = new Command(
            "create",
            "Creates the bucket of a place if it is not there, and lets everybody read and list it, and nobody else write.\n\n" +
            "Example:  cairn store create 's3://hers?endpoint=https://s3.example.com'")
        {
            Place, NodeConfig.StoreKeys,
        };
        create.SetAction(async (parsed, cancellation) =>
        {
            await StoreCheck.CreateAsync(parsed.GetValue(Place)!, AccessOf(parsed), cancellation);
            Console.WriteLine("everybody may read and list there, and you may write. See that it does all that a node needs:\n  ./cairn store check PLACE");
            return ExitCode.Success;
        });
        var check = new Command(
            "check",
            "Writes, reads as others do, lists and deletes a small object: all that a node does with its store. Exit code 2 if something is wrong.\n\n" +
            "Example:  cairn store check 's3://hers?endpoint=https://s3.example.com'")
        {
            Place, NodeConfig.StoreKeys,
        };
        check.SetAction(async (parsed, cancellation) =>
        {
            var steps = await StoreCheck.RunAsync(parsed.GetValue(Place)!, AccessOf(parsed), cancellation);
            foreach (var (step, fault) in steps)
            {
                Console.WriteLine($"{(fault.Length == 0 ? "ok   " : "WRONG")}  {step}{(fault.Length > 0 ? $": {fault}" : "")}");
            }

            return steps.All(step => step.Fault.Length == 0) ? ExitCode.Success : ExitCode.BadInput;
        });
        return new Command("store", "Makes and checks places on S3 for nodes.") { create, check };
    }

    private static StoreAccess AccessOf(ParseResult parsed) => new() { Writer = StoreAccess.FindWriter(parsed.GetValue(NodeConfig.StoreKeys)) };
}
