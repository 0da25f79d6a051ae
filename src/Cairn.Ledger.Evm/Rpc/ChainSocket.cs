using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace Cairn.Ledger.Evm;

/// <summary>One connection to a node of a chain over which questions and answers go as messages, and the node says by itself when there is a new block. It is used until
/// it breaks, and then another is made.</summary>
/// <remarks>Bounded: an answer as over HTTP, and what comes without a question far less. Safe for several threads.</remarks>
internal sealed class ChainSocket : IDisposable
{
    // The head of a block takes some 2 KiB.
    private const int NoticeBytesMax = 64 << 10;
    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(15);
    private readonly ClientWebSocket _socket;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly SemaphoreSlim _head = new(0, 1);
    private readonly ConcurrentDictionary<long, TaskCompletionSource<byte[]>> _asked = new();
    private readonly CancellationTokenSource _closed = new();
    private volatile string? _subscription;
    private volatile string _why = "the connection broke";

    private ChainSocket(ClientWebSocket socket) => _socket = socket;

    /// <summary>False once it is of no use any more.</summary>
    public bool IsOpen => _socket.State == WebSocketState.Open && !_closed.IsCancellationRequested;

    /// <summary>True if the node says by itself when there is a new block.</summary>
    public bool TellsHeads => IsOpen && _subscription is { Length: > 0 };

    /// <summary>Connects.</summary>
    /// <param name="node">ws:// or wss://.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="WebSocketException">It cannot be reached.</exception>
    public static async Task<ChainSocket> ConnectAsync(Uri node, CancellationToken cancellation)
    {
        var socket = new ClientWebSocket();
        (socket.Options.KeepAliveInterval, socket.Options.KeepAliveTimeout) = (SignOfLife, SignOfLife);
        try
        {
            await socket.ConnectAsync(node, cancellation);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var line = new ChainSocket(socket);
        _ = line.ReadAsync();
        return line;
    }

    /// <summary>Asks.</summary>
    /// <param name="id">The number in the question; one that was not used before.</param>
    /// <param name="question">A request of JSON-RPC.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The answer of that number.</returns>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<byte[]> AskAsync(long id, byte[] question, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        try
        {
            await _sending.WaitAsync(cancellation);
            try
            {
                await _socket.SendAsync(question, WebSocketMessageType.Text, endOfMessage: true, cancellation);
            }
            finally
            {
                _sending.Release();
            }

            using var broken = _closed.Token.Register(() => answer.TrySetException(new IOException(_why)));
            return await answer.Task.WaitAsync(cancellation);
        }
        finally
        {
            _asked.TryRemove(id, out _);
        }
    }

    /// <summary>Asks to be told of new blocks. A node that does not know how is not asked again.</summary>
    /// <param name="id">As in <see cref="AskAsync"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task SubscribeAsync(long id, CancellationToken cancellation)
    {
        if (_subscription is null)
        {
            _subscription = "";
            var answer = await AskAsync(id, Encoding.UTF8.GetBytes($$"""{"jsonrpc":"2.0","id":{{id}},"method":"eth_subscribe","params":["newHeads"]}"""), cancellation);
            using var read = JsonDocument.Parse(answer);
            _subscription = read.RootElement.TryGetProperty("result", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : "";
        }
    }

    /// <summary>Waits until the node has told of a block since the last call, the connection breaks, or a time has passed.</summary>
    /// <param name="most">How long at most.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task HeadAsync(TimeSpan most, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closed.Token);
        try
        {
            await _head.WaitAsync(most, either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Broken: whoever waits asks again, over another.
        }
    }

    /// <summary>Ends it: whoever waits for an answer hears that it broke.</summary>
    public void Dispose()
    {
        _closed.Cancel();
        _socket.Abort();
        _socket.Dispose();
    }

    private async Task ReadAsync()
    {
        using var message = new MemoryStream();
        var piece = new byte[1 << 16];
        try
        {
            while (true)
            {
                var got = await _socket.ReceiveAsync(piece.AsMemory(), _closed.Token);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    _why = "it has closed the connection";
                    break;
                }

                if (message.Length + got.Count > (_asked.IsEmpty ? NoticeBytesMax : ChainEndpoints.AnswerBytesMax))
                {
                    _why = $"it says more than {ChainEndpoints.AnswerBytesMax >> 20} MiB, or much that nobody asked for";
                    break;
                }

                message.Write(piece, 0, got.Count);
                if (got.EndOfMessage)
                {
                    Take(message.ToArray());
                    message.SetLength(0);
                }
            }
        }
        catch (JsonException)
        {
            _why = "it says what is no JSON-RPC";
        }
        catch (Exception e) when (e is WebSocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Said to whoever waits.
        }

        Dispose();
    }

    // What nobody asked for and is no new block is passed over.
    private void Take(byte[] message)
    {
        using var read = ChainJson.Parse(message);
        var root = read.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (root.TryGetProperty("id", out var id) && id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out var number))
        {
            if (_asked.TryGetValue(number, out var answer))
            {
                answer.TrySetResult(message);
            }
        }
        else if (root.TryGetProperty("params", out var told) && told.ValueKind == JsonValueKind.Object && told.TryGetProperty("subscription", out var name)
            && name.ValueKind == JsonValueKind.String && name.GetString() == _subscription && _head.CurrentCount == 0)
        {
            _head.Release();
        }
    }
}
