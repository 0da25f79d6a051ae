using System.CommandLine;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn lab wan joiner</c>: fetches a checkpoint again and again, started by <c>cairn lab wan --measure --network-only --joiner</c>.</summary>
internal static class WanJoinerVerb
{
    private static readonly Option<string> Dir = new("--dir") { Description = "The run's folder.", Required = true };
    private static readonly Option<string> Named = new("--digest") { Description = "Of the checkpoint.", Required = true };
    private static readonly Option<string[]> Sources = new("--source") { Description = "An S3 address that may have it.", Required = true };

    public static Command Create()
    {
        var joiner = new Command("joiner", "Fetches a checkpoint again and again; cairn lab wan --measure --network-only --joiner starts it.") { Dir, Named, Sources };
        joiner.Hidden = true;
        joiner.SetAction(async (parsed, cancellation) =>
        {
            if (!Digest.TryParse(parsed.GetValue(Named), out var digest))
            {
                throw new InputException($"--digest is {parsed.GetValue(Named)}, which is no digest.");
            }

            await WanJoiner.RunAsync(new RunDirectory(parsed.GetValue(Dir)!), digest, parsed.GetValue(Sources)!, Console.WriteLine, cancellation);
            return ExitCode.Success;
        });
        return joiner;
    }
}
