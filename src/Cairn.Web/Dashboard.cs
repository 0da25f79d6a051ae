using System.Net;
using System.Net.Sockets;
using Cairn.Base;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Web;

/// <summary>A run as pages in a browser: read from its ledger, its event log and its store, and written nowhere. Takes no part in the run and holds nobody up.</summary>
public sealed class Dashboard : IAsyncDisposable
{
    private const int PortsTried = 32;
    private const int ConnectionsMax = 512;
    private const long RequestBytesMax = 64 << 10;
    private readonly CancellationTokenSource _stop = new();
    private readonly RunReader _reader;
    private readonly Viewers _viewers;
    private readonly TalkRoom _talk;
    private readonly CheckpointRoom _checkpoints;
    private WebApplication? _app;
    private Task _following = Task.CompletedTask;

    private Dashboard(RunSources sources, double? replaySpeed)
    {
        _reader = RunReader.Open(sources, replaySpeed ?? 1);
        _viewers = new Viewers(() => RunPage.Now(_reader.Book), TimeProvider.System);
        _talk = new TalkRoom(_reader.Book, sources);
        _checkpoints = new CheckpointRoom(_reader.Book, sources);
    }

    /// <summary>The address of the pages.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Starts to answer and to read the run.</summary>
    /// <param name="sources">Where the run's files are.</param>
    /// <param name="options">How to answer.</param>
    /// <exception cref="InputException">There is no run, its files do not belong together, or no port can be had.</exception>
    public static async Task<Dashboard> StartAsync(RunSources sources, DashboardOptions options)
    {
        var dashboard = new Dashboard(sources, options.ReplaySpeed);
        try
        {
            await dashboard.ListenAsync(sources, options);
            dashboard.Follow(options.ReplaySpeed);
            return dashboard;
        }
        catch
        {
            await dashboard.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _checkpoints.Dispose();
        await _viewers.DisposeAsync();
        if (_app is not null)
        {
            await _app.DisposeAsync();
        }

        await _following;
        _talk.Dispose();
        _reader.Dispose();
        _stop.Dispose();
    }

    private void Follow(double? speed)
    {
        var follower = new RunFollower(_reader, TimeProvider.System, _viewers.Wake);
        _following = Task.Run(() => speed is { } times ? follower.ReplayAsync(times, _stop.Token) : follower.FollowAsync(_stop.Token));
    }

    private async Task ListenAsync(RunSources sources, DashboardOptions options)
    {
        for (var tried = 0; ; tried++)
        {
            var app = Build(sources, new IPEndPoint(options.Address, options.Port == 0 ? 0 : options.Port + tried));
            try
            {
                await app.StartAsync(_stop.Token);
                (_app, Address) = (app, app.Urls.First().Replace("[::]", "localhost", StringComparison.Ordinal));
                return;
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
            {
                await app.DisposeAsync();
                var taken = e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException;
                if (!taken || tried + 1 >= PortsTried || options.Port + tried >= IPEndPoint.MaxPort)
                {
                    throw new InputException($"cannot listen on {options.Address}:{options.Port}: {e.Message} Choose another --port.", e);
                }
            }
        }
    }

    private WebApplication Build(RunSources sources, IPEndPoint endpoint)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            kestrel.Limits.MaxRequestBodySize = RequestBytesMax;
            kestrel.Listen(endpoint);
        });
        var app = builder.Build();
        app.Use(Guard.For(endpoint.Address));
        new Routes(_reader, sources, _viewers, _talk, _checkpoints).Map(app);
        return app;
    }
}
