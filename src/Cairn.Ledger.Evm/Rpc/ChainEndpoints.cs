using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>JSON-RPC, over HTTP or WebSocket, to one chain through one or several nodes: each request goes to the one that answered last, and to the next when that one
/// fails. None of them is trusted with anything but answering: sizes and forms are bounded here, and what is said is checked by whoever asked.</summary>
public sealed class ChainEndpoints : IDisposable
{
    /// <summary>The most bytes of one answer.</summary>
    public const int AnswerBytesMax = 32 << 20;

    private const int DetailMax = 200;
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RestMax = TimeSpan.FromMinutes(1);
    // Only this does the chain itself refuse; a refusal of anything else is the trouble of one node, with its limits or with what it knows.
    private const string RefusedByTheChain = "eth_call";
    private readonly HttpClient _http;
    private readonly TimeSpan _patience;
    private readonly Uri[] _nodes;
    private readonly ChainSocket?[] _sockets;
    private readonly SemaphoreSlim[] _connecting;

    // The chain for which each has answered; asked again after it could not be reached.
    private readonly ulong?[] _chains;

    // Since when each has been too slow for those that wait for several; 0 if it is not.
    private readonly long[] _slowSince;
    private ulong? _expected;
    private int _current;
    private long _id;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="addresses">http://, https://, ws:// or wss:// addresses of nodes of the same chain; at least one.</param>
    /// <param name="patience">How long one answer may take.</param>
    /// <exception cref="InputException">An address is none.</exception>
    public ChainEndpoints(IReadOnlyList<string> addresses, TimeSpan? patience = null)
    {
        _nodes = [.. addresses.Select(Read)];
        (_chains, _sockets) = (new ulong?[_nodes.Length], new ChainSocket?[_nodes.Length]);
        _slowSince = new long[_nodes.Length];
        _connecting = [.. _nodes.Select(_ => new SemaphoreSlim(1, 1))];
        if (_nodes.Length == 0)
        {
            throw new InputException("no node of the chain is named: give its address with --rpc.");
        }

        _patience = patience ?? TimeSpan.FromSeconds(20);
        _http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>How many there are.</summary>
    public int Count => _nodes.Length;

    /// <summary>The one that is asked first.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>What a node is called in sentences: its host, since its address may hold a key.</summary>
    /// <param name="node">Which, from 0 on.</param>
    public string NameOf(int node) => _nodes[node].Authority;

    /// <summary>From now on only nodes of this chain are listened to: one that answers for another is passed over, and named.</summary>
    /// <param name="chainId">The chain.</param>
    public void Expect(ulong chainId) => _expected = chainId;

    /// <summary>Asks a node first from now on.</summary>
    /// <param name="node">Which.</param>
    public void Prefer(int node) => Volatile.Write(ref _current, node);

    /// <summary>True if a node has been too slow of late to be waited for where others have answered.</summary>
    /// <param name="node">Which.</param>
    internal bool Rests(int node) => Volatile.Read(ref _slowSince[node]) is not 0 and var since && TimeProvider.System.GetElapsedTime(since) < RestMax;

    /// <summary>Notes that a node was too slow.</summary>
    /// <param name="node">Which.</param>
    internal void Rest(int node)
    {
        if (!Rests(node))
        {
            Volatile.Write(ref _slowSince[node], TimeProvider.System.GetTimestamp());
        }
    }

    /// <summary>Notes that a node has answered in time.</summary>
    /// <param name="node">Which.</param>
    internal void Wake(int node) => Volatile.Write(ref _slowSince[node], 0);

    /// <summary>Asks, in the order of the nodes until one answers.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="parameters">Its parameters as JSON, the brackets included.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The result; the caller disposes it.</returns>
    /// <exception cref="ChainFaultException">All nodes failed, or one refused what only the chain can refuse.</exception>
    public async Task<JsonDocument> AskAsync(string method, string parameters, CancellationToken cancellation)
    {
        ChainFaultException? last = null;
        var first = Current;
        for (var i = 0; i < _nodes.Length; i++)
        {
            var node = (first + i) % _nodes.Length;
            try
            {
                var answer = await AskAsync(node, method, parameters, cancellation);
                Prefer(node);
                return answer;
            }
            catch (ChainFaultException fault) when (fault.Kind != ChainFaultKind.Refused || method != RefusedByTheChain)
            {
                last = fault;
            }
        }

        throw last!;
    }

    /// <summary>Asks one node.</summary>
    /// <param name="node">Which.</param>
    /// <param name="method">The method's name.</param>
    /// <param name="parameters">Its parameters as JSON, the brackets included.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The result; the caller disposes it.</returns>
    /// <exception cref="ChainFaultException">It failed, refused, or is of another chain.</exception>
    public async Task<JsonDocument> AskAsync(int node, string method, string parameters, CancellationToken cancellation)
    {
        try
        {
            if (_expected is { } expected && _chains[node] != expected)
            {
                using var answer = await AskOneAsync(node, "eth_chainId", "[]", cancellation);
                _chains[node] = ChainJson.UInt64(answer.RootElement, "eth_chainId");
                if (_chains[node] != expected)
                {
                    throw new ChainFaultException(
                        ChainFaultKind.BadAnswer, $"the node of the chain at {NameOf(node)} answers for chain {_chains[node]}, and the run is on chain {expected}");
                }
            }

            return await AskOneAsync(node, method, parameters, cancellation);
        }
        catch (ChainFaultException fault) when (fault.Kind == ChainFaultKind.Unreachable)
        {
            _chains[node] = null; // another may answer there the next time
            throw;
        }
    }

    /// <summary>Waits until it is time to look at the chain again. Over a WebSocket the node says so when there is a new block; a node that has said nothing for long is
    /// looked at all the same, and one that cannot say so as often as asked for.</summary>
    /// <param name="poll">How often to look where no node says so; over a WebSocket no more than four times as often.</param>
    /// <param name="time">The clock of the waits.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task NewsAsync(TimeSpan poll, TimeProvider time, CancellationToken cancellation)
    {
        if (await ListenAsync(Current, cancellation) is { } socket)
        {
            await Task.Delay(poll / 4, time, cancellation);
            await socket.HeadAsync(poll > SilenceMax ? poll : SilenceMax, cancellation);
        }
        else
        {
            await Task.Delay(poll, time, cancellation);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _http.Dispose();
        foreach (var socket in _sockets)
        {
            socket?.Dispose();
        }
    }

    private static Uri Read(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" or "ws" or "wss" ? uri
        : throw new InputException($"'{address}' is no address of a chain's node: it must begin with http://, https://, ws:// or wss://.");

    // Null where the node is not asked over a socket, its socket is broken, or it does not know how to tell of blocks.
    private async Task<ChainSocket?> ListenAsync(int node, CancellationToken cancellation)
    {
        if (_sockets[node] is not { IsOpen: true } socket)
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_patience);
        try
        {
            await socket.SubscribeAsync(Interlocked.Increment(ref _id), patience.Token);
        }
        catch (Exception e) when (e is WebSocketException or IOException or JsonException or ObjectDisposedException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // Polled, and asked over another socket.
        }

        return socket.TellsHeads ? socket : null;
    }

    private async Task<ChainSocket> SocketAsync(int node, CancellationToken cancellation)
    {
        await _connecting[node].WaitAsync(cancellation);
        try
        {
            if (_sockets[node] is not { IsOpen: true })
            {
                _sockets[node]?.Dispose();
                _sockets[node] = null;
                _sockets[node] = await ChainSocket.ConnectAsync(_nodes[node], cancellation);
            }

            return _sockets[node]!;
        }
        finally
        {
            _connecting[node].Release();
        }
    }

    // The address may hold the key of an account with whoever runs the node: only its host is ever told.
    private async Task<JsonDocument> AskOneAsync(int at, string method, string parameters, CancellationToken cancellation)
    {
        var (node, id) = (_nodes[at], Interlocked.Increment(ref _id));
        var question = Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":{{parameters}}}""");
        // Over the whole answer: a node that says a little and then nothing is as silent as one that says nothing.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_patience);
        try
        {
            if (node.Scheme is "ws" or "wss")
            {
                return Result(await (await SocketAsync(at, patience.Token)).AskAsync(id, question, patience.Token), id, node, "");
            }

            using var request = new HttpRequestMessage(HttpMethod.Post, node) { Content = new ByteArrayContent(question) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await ReadBoundedAsync(response.Content, node, patience.Token);
            return Result(body, id, node, response.IsSuccessStatusCode ? "" : $" (HTTP {(int)response.StatusCode})");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or WebSocketException or ObjectDisposedException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // A socket over which an answer did not come is not trusted to bring another.
            _sockets[at]?.Dispose();
            var how = e is OperationCanceledException ? "it took too long" : Short(e.Message);
            throw new ChainFaultException(ChainFaultKind.Unreachable, $"the node of the chain at {node.Authority} cannot be reached: {how}", inner: e);
        }
    }

    private static async Task<byte[]> ReadBoundedAsync(HttpContent content, Uri node, CancellationToken cancellation)
    {
        using var stream = await content.ReadAsStreamAsync(cancellation);
        using var body = new MemoryStream();
        var piece = new byte[1 << 16];
        while (await stream.ReadAsync(piece, cancellation) is > 0 and var got)
        {
            if (body.Length + got > AnswerBytesMax)
            {
                throw new ChainFaultException(ChainFaultKind.BadAnswer, $"the node of the chain at {node.Authority} answers with more than {AnswerBytesMax >> 20} MiB");
            }

            body.Write(piece, 0, got);
        }

        return body.ToArray();
    }

    private static JsonDocument Result(byte[] body, long id, Uri node, string status)
    {
        try
        {
            using var answer = ChainJson.Parse(body);
            var root = answer.RootElement;
            if (root.ValueKind == JsonValueKind.Object)
            {
                if (root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
                {
                    throw Refusal(error, node);
                }

                if (root.TryGetProperty("id", out var named) && named.ValueKind == JsonValueKind.Number && named.TryGetInt64(out var number) && number == id &&
                    root.TryGetProperty("result", out var result))
                {
                    return JsonDocument.Parse(result.GetRawText());
                }
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new ChainFaultException(
            status.Length > 0 ? ChainFaultKind.Unreachable : ChainFaultKind.BadAnswer, $"the node of the chain at {node.Authority} gives no answer of JSON-RPC{status}");
    }

    private static ChainFaultException Refusal(JsonElement error, Uri node)
    {
        var message = error.TryGetProperty("message", out var text) && text.ValueKind == JsonValueKind.String ? Short(text.GetString()!) : "without a reason";
        var data = error.TryGetProperty("data", out var given) && ChainJson.TryBytes(given, 4096, out var bytes) ? bytes : [];
        return new ChainFaultException(ChainFaultKind.Refused, $"the chain refuses (by {node.Authority}): {message}", data);
    }

    // What strangers say is told in part, and on one line.
    private static string Short(string text) => new([.. text.Select(c => char.IsControl(c) ? ' ' : c).Take(DetailMax)]);
}
