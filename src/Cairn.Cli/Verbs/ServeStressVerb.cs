using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Cairn.Base;
using Cairn.Bench;
using Cairn.Formats;
using Cairn.Inference;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn bench serve</c>: a server under a crowd of clients that behave badly.</summary>
internal static class ServeStressVerb
{
    private static readonly Option<string?> Model = new("--model") { Description = "A model's folder or file. Default: a small one that knows nothing." };
    private static readonly Option<int> Clients = new("--clients") { Description = "Clients at once.", DefaultValueFactory = _ => 200 };
    private static readonly Option<double> Minutes = new("--minutes") { Description = "For how long.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> Threads = new("--threads") { Description = "Threads to compute with.", DefaultValueFactory = _ => Environment.ProcessorCount };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    public static Command Create()
    {
        var command = new Command(
            "serve",
            "Serves a model to a crowd of slow readers, cut connections, prompts of 10 MB, halves of requests and nonsense, and counts: everybody who stays must be " +
            "served or told why, in bounded memory.\n\nExample:  cairn bench serve --minutes 1")
        {
            Model, Clients, Minutes, Threads, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (clients, minutes) = (parsed.GetValue(Clients), parsed.GetValue(Minutes));
        if (clients is < 1 or > 900 || minutes is not (> 0 and <= 1440))
        {
            throw new InputException($"--clients is {clients}, must be 1 to 900; --minutes is {minutes}, must be above 0 and at most 1,440.");
        }

        var folder = Path.Combine(Path.GetTempPath(), $"cairn-serve-{Path.GetRandomFileName()}");
        try
        {
            StressModel.Write(folder);
            await using var server = await InferenceServer.StartAsync(Load(parsed, folder), new InferenceOptions(IPAddress.Loopback, 0));
            var running = ServeStress.RunAsync(server.Address, clients, TimeSpan.FromMinutes(minutes));
            // A failure of the server ends this at once.
            await await Task.WhenAny(running, server.Failed).WaitAsync(cancellation);
            var report = await running;
            Console.WriteLine(parsed.GetValue(Json) ? JsonSerializer.Serialize(report, CliJson.Default.ServeStressReport) : Text(report, clients, minutes));
            return report.Unexplained.Count == 0 ? ExitCode.Success : ExitCode.Broken;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ServedModel Load(ParseResult parsed, string folder)
    {
        using var file = ModelFile.Open(parsed.GetValue(Model) ?? folder);
        return ServedModel.Load(
            file, "crowded", "one", new BatchModelOptions(Threads: Math.Clamp(parsed.GetValue(Threads), 1, 1024), Context: Math.Min(file.Shape.Context, 2048)));
    }

    private static string Refused(ServeStressReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Refused.Values.Sum():N0} refused with a reason ({string.Join(", ", report.Refused.Select(one => $"{one.Value} with {one.Key}"))})");

    private static string Text(ServeStressReport report, int clients, double minutes) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {clients} clients, {minutes:0.##} minutes: {report.Answered:N0} requests answered, {Refused(report)}, {report.Left:N0} left on purpose
        memory of clients and server together {report.MemoryBefore / 1048576.0:N0} MiB before, {report.MemoryPeak / 1048576.0:N0} MiB at most
        {(report.Unexplained.Count == 0 ? "nobody was left without an answer" : "NOT as it should be:\n" + string.Join('\n', report.Unexplained))}
        """);
}
