using System.Net;
using System.Net.Sockets;
using Cairn.Base;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Web;

/// <summary>Serves a model over HTTP, in the way of OpenAI's interface (docs/serving.md).</summary>
public sealed class InferenceServer : IAsyncDisposable
{
    private const int ConnectionsMax = 1024;
    private readonly CancellationTokenSource _stop = new();
    private readonly ServeMetrics _metrics = new();
    private readonly ModelRoom _room;
    private readonly WebApplication _app;

    private InferenceServer(ServedModel model, InferenceOptions options)
    {
        _room = new ModelRoom(model, options.Parallel, _metrics.Keep);
        _app = Build(options);
    }

    /// <summary>Where it answers.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The model that new requests get.</summary>
    public ServedModel Model => _room.Current.Served;

    /// <summary>Fails if the computing fails, by a bug of ours: nothing will be answered any more. Never ends otherwise.</summary>
    public Task Failed => _room.Failed;

    /// <summary>Starts to answer.</summary>
    /// <param name="model">Belongs to the server from now on.</param>
    /// <param name="options">How.</param>
    /// <exception cref="InputException">The port cannot be had.</exception>
    public static async Task<InferenceServer> StartAsync(ServedModel model, InferenceOptions options)
    {
        Invariant.Check(options.Parallel is >= 1 and <= 256 && options.WaitingMax >= 0 && options.BodyBytesMax > 0);
        var server = new InferenceServer(model, options);
        try
        {
            await server._app.StartAsync();
            server.Address = server._app.Urls.First().Replace("[::]", "localhost", StringComparison.Ordinal);
            return server;
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException)
        {
            await server.DisposeAsync();
            throw new InputException($"cannot listen on {options.Address}:{options.Port}: {e.Message} Choose another --port.", e);
        }
    }

    /// <summary>Serves another model to whoever asks from now on. Requests that run end with the model they began with, which goes when the last of them has
    /// ended.</summary>
    /// <param name="next">Belongs to the server from now on.</param>
    public void Switch(ServedModel next) => _room.Switch(next);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _app.DisposeAsync();
        await _room.DisposeAsync();
        _stop.Dispose();
    }

    private WebApplication Build(InferenceOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            // Bodies are measured by BodyReader: what is too large is told when it was passed over, instead of the connection being cut.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestBufferSize = 64 << 10;
            kestrel.Listen(new IPEndPoint(options.Address, options.Port));
        });
        var app = builder.Build();
        app.Use(Guard.For(options.Address));
        new InferenceRoutes(_room, options, _metrics, _stop.Token).Map(app);
        return app;
    }
}
