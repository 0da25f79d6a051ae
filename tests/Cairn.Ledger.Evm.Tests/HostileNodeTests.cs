using System.Net;
using System.Net.Sockets;
using System.Text;
using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>Nodes of a chain that lie, talk too much, or are not there.</summary>
public sealed class HostileNodeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("not JSON at all")]
    [InlineData("""{"jsonrpc":"2.0","id":ID}""")]
    [InlineData("""{"jsonrpc":"2.0","id":77,"result":"0x1"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":null}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":1}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"1"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"0x"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"0x10000000000000000"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"0x-1"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"\ud800"}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":"0x1","\udfff":1}""")]
    [InlineData("""{"jsonrpc":"2.0","id":ID,"result":{"deep":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}}""")]
    public async Task An_answer_that_is_none_is_a_fault_of_the_node(string answer)
    {
        using var liar = new Liar(_ => answer);
        using var endpoints = new ChainEndpoints([liar.Address]);
        Assert.Equal(ChainFaultKind.BadAnswer, (await Assert.ThrowsAsync<ChainFaultException>(() => new ChainClient(endpoints).HeightAsync(Cancellation))).Kind);
    }

    [Fact]
    public async Task An_answer_without_end_is_cut_off()
    {
        using var liar = new Liar(_ => new string(' ', ChainEndpoints.AnswerBytesMax + 1));
        using var endpoints = new ChainEndpoints([liar.Address]);
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => new ChainClient(endpoints).HeightAsync(Cancellation));
        Assert.Contains("more than", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_is_not_there_or_lies_is_passed_over_for_the_next()
    {
        using var liar = new Liar(_ => "{}");
        using var honest = new Liar(_ => """{"jsonrpc":"2.0","id":ID,"result":"0x2a"}""");
        using var endpoints = new ChainEndpoints(["http://127.0.0.1:1", liar.Address, honest.Address]);
        var client = new ChainClient(endpoints);
        Assert.Equal(42ul, await client.HeightAsync(Cancellation));
        Assert.Equal(42ul, await client.HeightAsync(Cancellation));
        Assert.Equal(1, liar.Asked); // the one that answered is asked first from then on
        using var none = new ChainEndpoints(["http://127.0.0.1:1"]);
        Assert.Equal(ChainFaultKind.Unreachable, (await Assert.ThrowsAsync<ChainFaultException>(() => new ChainClient(none).HeightAsync(Cancellation))).Kind);
    }

    [Fact]
    public async Task What_a_node_refuses_is_told_in_part_on_one_line_and_without_the_key_in_its_address()
    {
        using var liar = new Liar(_ => """{"jsonrpc":"2.0","id":ID,"error":{"code":-32000,"message":"no\nway LONG","data":"0x30cd7471"}}""".Replace("LONG", new string('x', 5000)));
        using var endpoints = new ChainEndpoints([liar.Address + "secret-key"]);
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => new ChainClient(endpoints).HeightAsync(Cancellation));
        Assert.Equal(ChainFaultKind.Refused, fault.Kind);
        Assert.Equal([0x30, 0xcd, 0x74, 0x71], fault.Reason);
        Assert.True(fault.Message.Length < 400 && !fault.Message.Contains('\n') && !fault.Message.Contains("secret-key", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(1, 0, false)] // another contract
    [InlineData(0, 1, false)] // another run
    [InlineData(0, 2, false)] // a block that was not asked for
    [InlineData(0, 3, false)] // twice the same
    public async Task Events_that_were_not_asked_for_are_a_fault_of_the_node(int contract, int wrong, bool good)
    {
        var topic = Digest.Of("run", []);
        var log = $$"""
            {"address":"0x{{contract:x40}}","topics":["0x{{topic}}","0x{{(wrong == 1 ? Digest.Zero : topic)}}"],"data":"0x",
             "blockNumber":"{{(wrong == 2 ? "0x9" : "0x5")}}","blockHash":"0x{{topic}}","logIndex":"0x0"}
            """;
        using var liar = new Liar(_ => $$"""{"jsonrpc":"2.0","id":ID,"result":[{{log}}{{(wrong == 3 ? "," + log : "")}}]}""");
        using var endpoints = new ChainEndpoints([liar.Address]);
        var asked = new ChainClient(endpoints).LogsAsync(default, topic, 5, 6, Cancellation);
        if (good)
        {
            Assert.Single(await asked);
        }
        else
        {
            Assert.Equal(ChainFaultKind.BadAnswer, (await Assert.ThrowsAsync<ChainFaultException>(() => asked)).Kind);
        }
    }

    [Theory]
    [InlineData("ftp://example.org")]
    [InlineData("wsx://example.org")]
    [InlineData("example.org")]
    [InlineData("")]
    public void What_is_no_address_of_a_node_is_refused(string address) => Assert.Throws<InputException>(() => new ChainEndpoints([address]));

    /// <summary>A server that answers every question with what it was told, the question's number in it.</summary>
    private sealed class Liar : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Func<string, string> _answer;
        private int _asked;

        public Liar(Func<string, string> answer)
        {
            _answer = answer;
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
            }

            _listener.Prefixes.Add(Address);
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address { get; }

        public int Asked => _asked;

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            while (_listener.IsListening)
            {
                try
                {
                    var context = await _listener.GetContextAsync();
                    Interlocked.Increment(ref _asked);
                    using var reader = new StreamReader(context.Request.InputStream);
                    var question = await reader.ReadToEndAsync();
                    var id = question.Split("\"id\":")[1].Split(',')[0];
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(_answer(question).Replace("ID", id, StringComparison.Ordinal)));
                    context.Response.Close();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException or InvalidOperationException)
                {
                    // Closed, or the client has heard enough.
                }
            }
        }
    }
}
