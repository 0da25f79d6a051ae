using System.Net;
using System.Net.Sockets;
using Amazon.Runtime;

namespace Cairn.Exchange;

/// <summary>The connections of one store: to public addresses only unless told otherwise, without following where a server sends us, at the rates of its owner.
/// TLS certificates are verified as the system does.</summary>
internal sealed class GuardedHttp(S3Options options, bool allowPrivateHosts, RateLimit? up, RateLimit? down) : HttpClientFactory, IDisposable
{
    private static readonly TimeSpan ConnectionMax = TimeSpan.FromMinutes(5);
    private readonly HttpClient _client = Create(options, allowPrivateHosts, up, down);

    public override HttpClient CreateHttpClient(IClientConfig clientConfig) => _client;

    public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

    public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

    public void Dispose() => _client.Dispose();

    private static HttpClient Create(S3Options options, bool allowPrivateHosts, RateLimit? up, RateLimit? down)
    {
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = options.AnswerMax,
            PooledConnectionLifetime = ConnectionMax,
            // From one round to the next, as far as the server keeps them as well.
            PooledConnectionIdleTimeout = ConnectionMax,
            MaxConnectionsPerServer = 64,
            MaxResponseHeadersLength = 64,
        };
        if (!allowPrivateHosts)
        {
            // A proxy would connect for us, to wherever it may.
            sockets.UseProxy = false;
            sockets.ConnectCallback = ConnectAsync;
        }

        HttpMessageHandler limited = up is null && down is null ? sockets : new LimitedHandler(up, down, sockets);
        return new HttpClient(new StrictHandler(limited)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    // The address is looked up and looked at here, so that no name can show one address to the check and another to the connection.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var allowed = (await Dns.GetHostAddressesAsync(host, cancel).ConfigureAwait(false)).Where(PublicHosts.IsPublic).ToArray();
        if (allowed.Length == 0)
        {
            throw new HttpRequestException($"{host} is on a private network, where no stranger may send us");
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, cancel).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
