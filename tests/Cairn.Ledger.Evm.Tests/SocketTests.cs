using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>Nodes of a chain over WebSocket: questions, news of blocks, and what becomes of both when the connection breaks or the node lies.</summary>
public sealed class SocketTests(ManualAnvilNode node) : IClassFixture<ManualAnvilNode>
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Questions_go_over_a_socket_many_at_a_time_and_over_a_new_one_after_the_node_was_away()
    {
        node.SkipIfMissing();
        using var endpoints = new ChainEndpoints([node.SocketAddress]);
        var client = new ChainClient(endpoints);
        Assert.Equal(31337ul, await client.ChainIdAsync(Cancellation));
        var height = await node.MineAsync();
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.HeightAsync(Cancellation))), seen => Assert.Equal(height, seen));
        var refused = await Assert.ThrowsAsync<ChainFaultException>(() => endpoints.AskAsync("cairn_nothing", "[]", Cancellation));
        Assert.Equal(ChainFaultKind.Refused, refused.Kind);
        await node.DownAsync();
        Assert.Equal(ChainFaultKind.Unreachable, (await Assert.ThrowsAsync<ChainFaultException>(() => client.HeightAsync(Cancellation))).Kind);
        await node.UpAsync();
        Assert.Equal(31337ul, await client.ChainIdAsync(Cancellation));
    }

    [Fact]
    public async Task A_node_that_says_when_there_is_a_block_need_not_be_asked()
    {
        node.SkipIfMissing();
        using var endpoints = new ChainEndpoints([node.SocketAddress]);
        await new ChainClient(endpoints).HeightAsync(Cancellation);
        for (var i = 0; i < 2; i++)
        {
            var news = endpoints.NewsAsync(Poll, TimeProvider.System, Cancellation);
            await Task.Delay(4 * Poll, Cancellation);
            Assert.False(news.IsCompleted);
            await node.MineAsync();
            await news.WaitAsync(TimeSpan.FromSeconds(10), Cancellation); // silence alone would take 15 s
        }

        // What was told while nobody waited is not lost.
        await node.MineAsync();
        await Task.Delay(Poll, Cancellation);
        await endpoints.NewsAsync(Poll, TimeProvider.System, Cancellation).WaitAsync(TimeSpan.FromSeconds(10), Cancellation);

        // Over HTTP there is no news: it is looked again after a while.
        await node.Endpoints.NewsAsync(Poll, TimeProvider.System, Cancellation).WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
    }

    [Theory]
    [InlineData("close")]
    [InlineData("nonsense")]
    [InlineData("half a character")]
    [InlineData("endless")]
    [InlineData("silence")]
    [InlineData("other numbers")]
    public async Task A_socket_that_breaks_or_lies_is_passed_over_for_the_next_node_and_tried_again(string how)
    {
        node.SkipIfMissing();
        using var liar = new Liar(how);
        using var endpoints = new ChainEndpoints([liar.Address, node.SocketAddress], TimeSpan.FromSeconds(how == "silence" || how == "other numbers" ? 4 : 20));
        var client = new ChainClient(endpoints);
        var height = await node.MineAsync();
        Assert.Equal(height, await client.HeightAsync(Cancellation));
        Assert.Equal(1, endpoints.Current);
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => client.At(0).HeightAsync(Cancellation));
        Assert.Equal(ChainFaultKind.Unreachable, fault.Kind);
        Assert.Equal(2, liar.Connections);

        // Where nobody listens to news, time passes as over HTTP.
        endpoints.Prefer(0);
        await endpoints.NewsAsync(Poll, TimeProvider.System, Cancellation).WaitAsync(TimeSpan.FromSeconds(10), Cancellation);
    }

    /// <summary>A server that takes sockets and answers no question properly.</summary>
    private sealed class Liar : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly string _how;
        private int _connections;

        public Liar(string how)
        {
            _how = how;
            using var free = new TcpListener(IPAddress.Loopback, 0);
            free.Start();
            var port = ((IPEndPoint)free.LocalEndpoint).Port;
            free.Stop();
            Address = $"ws://127.0.0.1:{port}/key";
            _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address { get; }

        public int Connections => _connections;

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                try
                {
                    var context = await (await _listener.GetContextAsync()).AcceptWebSocketAsync(null);
                    Interlocked.Increment(ref _connections);
                    await LieAsync(context.WebSocket);
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or WebSocketException or IOException or InvalidOperationException)
                {
                    // Closed, or the client has heard enough.
                }
            }
        }

        private async Task LieAsync(WebSocket socket)
        {
            await socket.ReceiveAsync(new byte[4096], CancellationToken.None);
            var text = _how switch
            {
                "nonsense" => "not JSON at all",
                "half a character" => """{"params":{"subscription":"\ud800"}}""",
                "other numbers" => """{"jsonrpc":"2.0","id":987654,"result":"0x1"}""",
                _ => new string(' ', 1 << 20),
            };
            for (var piece = 0; _how == "endless" && piece < 64 && socket.State == WebSocketState.Open; piece++)
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
            }

            if (_how is "nonsense" or "half a character" or "other numbers")
            {
                await socket.SendAsync(Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            }

            if (_how == "close")
            {
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
            }
        }
    }
}
