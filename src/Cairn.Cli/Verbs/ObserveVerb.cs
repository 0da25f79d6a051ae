using System.CommandLine;
using System.Text.Json;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn observe</c>: a run as its ledger tells it, by somebody who takes no part.</summary>
internal static class ObserveVerb
{
    private static readonly Option<double> Silence = new("--silence")
    {
        Description = "Seconds without a block after which it says whom the stage waits for.",
        DefaultValueFactory = _ => 10,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print each event as a line of JSON." };

    public static Command Create()
    {
        var observe = new Command(
            "observe",
            "Follows a run from its ledger, every block verified, without a key and without taking part; names whom a silent stage waits for. Ctrl-C stops it.\n\n" +
            "Example:  cairn observe --dir runs/ours")
        {
            NodeConfig.Dir, Silence, Json,
        };
        observe.SetAction(async (parsed, cancellation) =>
        {
            var (json, silence) = (parsed.GetValue(Json), TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(Silence), 0.5, 3600)));
            var directory = new RunDirectory(parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest());
            var over = await RunObserver.FollowAsync(
                directory, silence,
                happened => Console.WriteLine(json ? JsonSerializer.Serialize(happened, CliJson.Default.RunEvent) : LineOf(happened)), cancellation);
            return over ? ExitCode.Success : ExitCode.Interrupted;
        });
        return observe;
    }

    private static string LineOf(RunEvent happened) => happened switch
    {
        RoundEnded ended =>
            $"round {ended.Round + 1,4}  over: {ended.Members} of {ended.Roster} updates, base {ended.BaseDigest?[..8] ?? "not agreed"}" +
            (ended.Agreement ? "" : "  SOMEBODY POSTED ANOTHER BASE"),
        StageChanged { Stage: "Finished" } => "the run is over",
        StageChanged now => $"round {now.Round + 1,4}  {now.Stage.ToLowerInvariant()}",
        StageWaits waits =>
            $"round {waits.Round + 1,4}  {waits.Stage.ToLowerInvariant()}: nothing for {waits.Seconds:F0} s, waits for " +
            (waits.Whom.Count > 0 ? string.Join(", ", waits.Whom) : "nobody"),
        _ => happened.ToString(),
    };
}
