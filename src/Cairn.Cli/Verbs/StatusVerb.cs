using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Views;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn status</c>: where a run stands, and who waits for whom.</summary>
internal static class StatusVerb
{
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var status = new Command(
            "status",
            "Shows where a run stands: its round and stage, whom the stage waits for, and what each node of this machine does, waits for, and since when.\n\n" +
            "Example:  cairn status --dir runs/ours")
        {
            NodeConfig.Dir, Json,
        };
        status.SetAction(parsed =>
        {
            var read = RunStatus.Read(new RunDirectory(parsed.GetValue(NodeConfig.Dir) ?? RunFolders.Newest()), TimeProvider.System);
            if (parsed.GetValue(Json))
            {
                Console.WriteLine(read.ToJsonLine());
            }
            else
            {
                Write(read, Console.Out);
            }

            return ExitCode.Success;
        });
        return status;
    }

    private static void Write(RunStatus run, TextWriter output)
    {
        output.WriteLine(
            $"run {run.Run}   round {Math.Min(run.Round + 1, run.Rounds)}/{run.Rounds}, {(run.Paused ? "paused by its validators" : run.Stage)}   " +
            $"last block {Seconds(run.QuietSeconds)} ago");
        output.WriteLine(run.Whom.Count > 0 ? $"the stage waits for {string.Join(", ", run.Whom)}" : "the stage waits for nobody");
        RulesView.Write(run.Rules, output);
        foreach (var name in run.Unreadable)
        {
            output.WriteLine($"{name}: its {NodeStatus.FileName} cannot be read; it writes a new one when it runs");
        }

        if (run.Nodes.Count == 0)
        {
            return;
        }

        output.WriteLine("\nnode          role       applied  busy     since    waits for");
        foreach (var (node, running) in run.Nodes)
        {
            var busy = node.Utilisation is { } part ? $"{100 * part:F0} %" : "–";
            var waits = !running ? "not running" : node.Finished ? "nothing: the run is over"
                : node.WaitsFor + (node.Whom.Count > 0 ? $": {string.Join(", ", node.Whom)}" : "") + (node.Trouble is { } trouble ? $"; {trouble}" : "");
            waits += running && node.Chain is { } chain ? $"; {(chain.Waits ? "the chain" : "a node of the chain")}, for {Ago(chain.Since)}: {chain.What}" : "";
            output.WriteLine(
                $"{node.Name,-12}  {node.Role,-9}  {node.Applied,7}  {busy,-7}  {Ago(node.Since),-7}  {waits}");
        }
    }

    private static string Ago(DateTimeOffset time) => Seconds((DateTimeOffset.UtcNow - time).TotalSeconds);

    private static string Seconds(double seconds) => seconds switch
    {
        < 120 => $"{Math.Max(0, seconds).ToString("F0", CultureInfo.InvariantCulture)} s",
        < 7200 => $"{(seconds / 60).ToString("F0", CultureInfo.InvariantCulture)} min",
        _ => $"{(seconds / 3600).ToString("F0", CultureInfo.InvariantCulture)} h",
    };
}
