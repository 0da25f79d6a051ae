using System.Globalization;
using System.Net;
using System.Text;
using Cairn.Base;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cairn.Node;

/// <summary>A node's health for programs that watch it: /healthz, /readyz, /status (JSON) and /metrics (Prometheus text). Read-only, without anything secret.</summary>
internal sealed class HealthServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HealthServer(WebApplication app) => _app = app;

    /// <summary>Where it answers, the port that the system chose included.</summary>
    public string Address => _app.Urls.First();

    /// <summary>Starts.</summary>
    /// <param name="listen">An IP address and a port, such as 127.0.0.1:9464; port 0 for any.</param>
    /// <param name="board">What it shows.</param>
    /// <exception cref="InputException">The text is no such address, or the port is taken.</exception>
    public static async Task<HealthServer> StartAsync(string listen, StatusBoard board)
    {
        if (!IPEndPoint.TryParse(listen, out var endpoint) || !listen.Contains(':', StringComparison.Ordinal))
        {
            throw new InputException($"--health is '{listen}', must be an IP address and a port such as 127.0.0.1:9464.");
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(endpoint));
        var app = builder.Build();
        app.MapGet("/healthz", () => Say(!board.Now.Halted, board.Now.Halted ? "halted: this replica is wrong" : "alive"));
        app.MapGet("/readyz", () => Say(board.Now.IsReady, board.Now.IsReady ? "ready" : board.Now.Trouble ?? WaitsFor(board)));
        app.MapGet("/status", () => Results.Text(board.Now.ToJson(), "application/json"));
        app.MapGet("/metrics", () => Results.Text(Metrics(board), "text/plain; version=0.0.4"));
        try
        {
            await app.StartAsync();
            return new HealthServer(app);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or UnauthorizedAccessException)
        {
            await app.DisposeAsync();
            throw new InputException($"cannot listen on {listen}: {e.Message} Choose another --health.", e);
        }
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static IResult Say(bool good, string words) =>
        Results.Text(words + "\n", "text/plain", Encoding.UTF8, good ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);

    private static string WaitsFor(StatusBoard board) => board.Now.Chain is { Waits: true } trouble
        ? $"waits for the chain since {trouble.Since:O}: {trouble.What}" : $"waits for {board.Now.WaitsFor}";

    private static string Metrics(StatusBoard board)
    {
        var (now, text) = (board.Now, new StringBuilder());
        var run = string.Concat(now.Run.Where(c => c is not ('\\' or '"') && !char.IsControl(c)));
        var labels = $"{{node=\"{now.Name}\",role=\"{now.Role.ToLowerInvariant()}\",run=\"{run}\"}}";
        void Add(string name, string kind, string help, double value) => text.Append(
            CultureInfo.InvariantCulture, $"# HELP cairn_{name} {help}\n# TYPE cairn_{name} {kind}\ncairn_{name}{labels} {value}\n");

        var counts = board.Counts;
        Add("uptime_seconds", "gauge", "Seconds since the node began.", board.Uptime);
        Add("round", "gauge", "The round that the ledger is in.", now.Round);
        Add("rounds", "gauge", "Rounds of the run.", now.Rounds);
        Add("rounds_applied", "gauge", "Rounds that this node has applied.", now.Applied);
        Add("ledger_height", "gauge", "Blocks seen.", now.Height);
        Add("waiting_seconds", "gauge", "Seconds since what the node waits for last changed.", board.Waiting);
        Add("awaited_members", "gauge", "Members that the node waits for.", now.Whom.Count);
        Add("chain_waiting_seconds", "gauge", "Seconds for which the run has waited for the chain that orders its ledger.", board.WaitingForChain);
        Add("ready", "gauge", "1 if the node takes part.", now.IsReady ? 1 : 0);
        Add("halted", "gauge", "1 if the replica is wrong.", now.Halted ? 1 : 0);
        Add("utilisation_ratio", "gauge", "Part of the time in which a peer had inner steps to do.", now.Utilisation ?? 0);
        Add("updates_published_total", "counter", "Updates put in the store.", counts.Updates);
        Add("update_bytes_total", "counter", "Bytes of them.", counts.UpdateBytes);
        Add("store_troubles_total", "counter", "Times that a store did not give or take what was needed.", counts.StoreTroubles);
        Add("operations_refused_total", "counter", "Operations that the ledger refused.", counts.Refused);
        return text.ToString();
    }
}

/// <summary>What a node has counted since it began.</summary>
/// <param name="Updates">Updates published.</param>
/// <param name="UpdateBytes">Bytes of them.</param>
/// <param name="StoreTroubles">Times that a store did not give or take what was needed.</param>
/// <param name="Refused">Operations that the ledger refused.</param>
internal readonly record struct NodeCounts(long Updates, long UpdateBytes, long StoreTroubles, long Refused);
