using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cairn.Base;
using Cairn.Node;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn bench memory</c>: what the way of an update takes of memory beyond base, local parameters and error feedback.</summary>
internal static class MemoryVerb
{
    private static readonly Option<string> Parameters = new("--parameters")
    {
        Description = "Size of the model, about: 2M, 500M.",
        DefaultValueFactory = _ => "500M",
    };

    private static readonly Option<int> Peers = new("--peers") { Description = "Updates in the round.", DefaultValueFactory = _ => 20 };
    private static readonly Option<string?> Store = new("--store")
    {
        Description = "Where they travel: s3://bucket/prefix?endpoint=https://host. Default: a folder.",
    };

    private static readonly Option<string?> Folder = new("--dir") { Description = "For the run's files, deleted afterwards. Default: below the temporary folder." };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var command = new Command(
            "memory",
            "Takes updates that are drawn instead of trained the whole way of a round (error feedback, top-k, quantiser, envelope, commit, store, checks, mean, " +
            "outer step), by the code of the nodes, and measures the most memory each part uses beyond base, local parameters and error feedback. Takes three to " +
            "four times the model of memory and five times of disk.\n\nExample:  cairn bench memory --parameters 500M --peers 20")
        {
            Parameters, Peers, Store, Folder, NodeConfig.StoreKeys, Json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var json = parsed.GetValue(Json);
            var folder = Path.Combine(parsed.GetValue(Folder) ?? Path.GetTempPath(), $"cairn-memory-{Path.GetRandomFileName()}");
            var options = new MemoryOptions(
                BenchVerb.CountOf("--parameters", parsed.GetValue(Parameters)), PeersOf(parsed.GetValue(Peers)), folder, parsed.GetValue(Store),
                new StoreAccess { Writer = parsed.GetValue(Store) is null ? null : StoreAccess.FindWriter(parsed.GetValue(NodeConfig.StoreKeys)) });
            Directory.CreateDirectory(folder);
            try
            {
                var report = await UpdateMemory.RunAsync(options, step => Tell(json, step), cancellation);
                Console.WriteLine(json ? JsonSerializer.Serialize(report, CliJson.Default.MemoryReport) : Text(report));
                return ExitCode.Success;
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        });
        return command;
    }

    private static int PeersOf(int peers) => peers is >= 1 and <= 256 ? peers : throw new InputException($"--peers is {peers}: give 1 to 256.");

    private static void Tell(bool json, string step)
    {
        if (!json)
        {
            Console.Error.WriteLine(step);
        }
    }

    private static string Text(MemoryReport report)
    {
        var lines = report.Stages.Select(stage => string.Create(
            CultureInfo.InvariantCulture,
            $"{stage.Name,-34} {stage.PeakBytes / 1e6,9:N0} {stage.ModelBytes / 1e6,9:N0} {stage.ExtraBytes / 1e6,9:N0} {stage.Ratio,9:F2}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Parameters:N0} parameters, {report.Peers} updates of {report.UpdateBytes / 1e6:N1} MB, their mean {report.DeltaBytes / 1e6:N1} MB\n" +
            $"largest tensor {report.LargestTensorBytes / 1e6:N0} MB; the runtime alone {report.RuntimeBytes / 1e6:N0} MB, which is part of every peak (VmHWM)\n\n" +
            $"{"MB",-34} {"peak",9} {"model",9} {"beyond",9} {"× largest",9}\n{string.Join('\n', lines)}\n\n" +
            $"at most {report.Ratio:F2} times the largest tensor; the bar is {report.Bar:F0}: {(report.Holds ? "holds" : "DOES NOT HOLD")}");
    }
}
