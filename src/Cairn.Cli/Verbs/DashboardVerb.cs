using System.CommandLine;
using System.Net;
using Cairn.Base;
using Cairn.Node;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn dashboard</c> and <c>cairn replay</c>: a run in a browser, as it goes on or as it went.</summary>
internal static class DashboardVerb
{
    private static readonly Option<string?> Dir = new("--dir") { Description = "The run's folder. Default: the newest under runs/." };
    private static readonly Option<string?> Ledger = new("--ledger") { Description = "Instead of a run's folder: the file of its ledger." };
    private static readonly Option<string?> Store = new("--store")
    {
        Description = "With --ledger: the folder of the run's store, with its rules (run/rules.json) and checkpoints.",
    };

    private static readonly Option<int> Port = new("--port")
    {
        Description = "The port to listen on; if it is taken, the next free one. 0 for any.",
        DefaultValueFactory = _ => DashboardOptions.UsualPort,
    };

    private static readonly Option<string> Listen = new("--listen")
    {
        Description = "The address to listen on. The usual one can be reached from this machine alone; 0.0.0.0 lets everybody in who reaches it.",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private static readonly Option<double> Speed = new("--speed")
    {
        Description = "How many times as fast as it went.",
        DefaultValueFactory = _ => 20,
    };

    public static Command Dashboard()
    {
        var command = new Command(
            "dashboard",
            "Shows a run in a browser, live: loss, peers, rounds, ledger, checkpoints. Reads the run's files and writes none; needs no key. Ctrl-C ends it.\n\n" +
            "Example:  cairn dashboard --dir runs/swarm-1")
        {
            Dir, Ledger, Store, Port, Listen,
        };
        command.SetAction((parsed, cancellation) => ShowAsync(parsed, null, cancellation));
        return command;
    }

    public static Command Replay()
    {
        var command = new Command(
            "replay",
            "Shows a past run in a browser as if it went on now, faster. Ctrl-C ends it.\n\n" +
            "Example:  cairn replay --dir runs/swarm-1 --speed 20")
        {
            Dir, Speed, Port, Listen,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var speed = parsed.GetValue(Speed);
            return speed is >= 0.1 and <= 10_000
                ? ShowAsync(parsed, speed, cancellation)
                : throw new InputException($"--speed is {speed}, must be 0.1 to 10,000.");
        });
        return command;
    }

    /// <summary>Where the files of a run are.</summary>
    /// <param name="directory">The run.</param>
    public static RunSources SourcesOf(RunDirectory directory) => new()
    {
        Folder = directory.Root,
        Rules = directory.Rules,
        Ledger = directory.Ledger,
        Events = directory.Events,
        Nodes = directory.Node(""),
        Checkpoints = directory.Checkpoints,
        Comparison = Path.Combine(directory.Root, "compare.json"),
    };

    private static async Task<int> ShowAsync(ParseResult parsed, double? speed, CancellationToken cancellation)
    {
        var (port, listen) = (parsed.GetValue(Port), parsed.GetValue(Listen)!);
        if (port is < 0 or > IPEndPoint.MaxPort)
        {
            throw new InputException($"--port is {port}, must be 0 to {IPEndPoint.MaxPort}.");
        }

        if (!IPAddress.TryParse(listen, out var address))
        {
            throw new InputException($"--listen is '{listen}', must be an IP address such as 127.0.0.1.");
        }

        var sources = SourcesOf(parsed);
        await using var dashboard = await Web.Dashboard.StartAsync(sources, new DashboardOptions(address, port, speed));
        Console.WriteLine($"{sources.Folder} is shown at {dashboard.Address}{Reach(address)}");
        await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        return ExitCode.Success;
    }

    // A run of others, of which somebody has the ledger and the store and no folder.
    private static RunSources SourcesOf(ParseResult parsed)
    {
        var (ledger, store) = (parsed.GetValue(Ledger), parsed.GetValue(Store));
        if ((ledger is null) != (store is null) || (ledger is not null && parsed.GetValue(Dir) is not null))
        {
            throw new InputException("name a run by --dir, or by --ledger and --store together.");
        }

        var sources = SourcesOf(new RunDirectory(store ?? parsed.GetValue(Dir) ?? RunFolders.Newest()));
        return ledger is null ? sources : sources with
        {
            Ledger = Path.GetFullPath(ledger),
            Rules = Path.Combine(sources.Folder, "run", "rules.json"),
            Checkpoints = Path.Combine(sources.Folder, "checkpoints"),
        };
    }

    /// <summary>Who can see it, in words.</summary>
    /// <param name="address">Where it listens.</param>
    public static string Reach(IPAddress address) =>
        IPAddress.IsLoopback(address) ? " (on this machine alone)" : ": everybody can look who reaches this machine";
}
