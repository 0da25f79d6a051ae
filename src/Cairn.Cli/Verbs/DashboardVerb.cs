using System.CommandLine;
using System.Net;
using Cairn.Base;
using Cairn.Web;

namespace Cairn.Cli.Verbs;

/// <summary><c>cairn dashboard</c> and <c>cairn replay</c>: a run in a browser, as it goes on or as it went.</summary>
internal static class DashboardVerb
{
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
            "Examples:  cairn dashboard --dir runs/swarm-1\n           cairn dashboard --ledger theirs.cairn --store 's3://bucket/run?endpoint=https://s3.example.org'")
        {
            WatchedRun.Dir, WatchedRun.Ledger, WatchedRun.Store, WatchedRun.Baseline, ChainConfig.Rpc, ChainConfig.Contract, ChainConfig.Run,
            ChainConfig.Confirmations, Port, Listen,
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
            WatchedRun.Dir, WatchedRun.Ledger, WatchedRun.Store, WatchedRun.Baseline, ChainConfig.Rpc, ChainConfig.Contract, ChainConfig.Run,
            ChainConfig.Confirmations, Speed, Port, Listen,
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

        await using var run = await WatchedRun.OpenAsync(parsed, cancellation);
        // Strangers may look; that this machine fetches hundreds of megabytes is for who sits at it.
        var sources = IPAddress.IsLoopback(address) ? run.Sources : run.Sources with { Bring = null };
        await using var dashboard = await Web.Dashboard.StartAsync(sources, new DashboardOptions(address, port, speed));
        Console.WriteLine($"{run.Sources.Folder} is shown at {dashboard.Address}{Reach(address)}");
        await Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => { }, TaskScheduler.Default);
        return ExitCode.Success;
    }

    /// <summary>Who can see it, in words.</summary>
    /// <param name="address">Where it listens.</param>
    public static string Reach(IPAddress address) =>
        IPAddress.IsLoopback(address) ? " (on this machine alone)"
            : ": everybody can look who reaches this machine; checkpoints are fetched only by who listens on it alone";
}
