using System.Text.Json.Nodes;
using Cairn.Base;
using Cairn.Ledger.Tests;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>What is posted over nodes some of which drop it, forge its receipt, or want it to cost much.</summary>
public sealed class PostingTests : IDisposable
{
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(5), GiveUpAfter = TimeSpan.FromSeconds(60), ChainId = ScriptedChain.ChainId };
    private readonly World _world = new();
    private readonly ScriptedChain _chain;
    private readonly AccountKey _key = AccountKey.FromSecret([.. Enumerable.Repeat((byte)7, 32)]);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-posting-").FullName;

    public PostingTests() => _chain = new ScriptedChain(_world.Genesis.Digest);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _chain.Dispose();
        _key.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_node_that_reads_honestly_and_drops_transactions_mutes_nobody()
    {
        _chain.AddNode(Dropping);
        _chain.AddNode();
        _chain.AddNode((method, _, honest) => method == "eth_sendRawTransaction" ? throw new ScriptedRefusal("no room") : honest());
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
        Assert.True((await sender.SendAsync(_chain.Contract, [1], 0, Cancellation)).Succeeded);
        Assert.True((await sender.SendAsync(_chain.Contract, [2], 0, Cancellation)).Succeeded);
        Assert.Equal([[1], [2]], _chain.Taken.Select(sent => sent.Data));
        Assert.Equal(0, endpoints.Current); // the one that drops was asked first all the time
    }

    [Fact]
    public async Task A_transaction_that_no_node_took_at_first_is_offered_again_to_all_and_so_is_its_replacement()
    {
        var offers = new List<UInt128>();
        _chain.AddNode(Dropping);
        _chain.AddNode((method, asked, honest) =>
        {
            if (method != "eth_sendRawTransaction")
            {
                return honest();
            }

            lock (offers)
            {
                offers.Add(SentTransaction.Read(ScriptedChain.Bytes(asked[0]!)).Fee);
                return offers.Distinct().Count() > 1 ? honest() : ScriptedChain.HashOf(asked[0]!);
            }
        });
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick with { ReplaceAfter = TimeSpan.FromMilliseconds(200) });
        Assert.True((await sender.SendAsync(_chain.Contract, [1], 0, Cancellation)).Succeeded);
        Assert.True(offers.Count(fee => fee == offers[0]) > 1, "it was offered once");
        Assert.True(Assert.Single(_chain.Taken).Fee > offers[0]);
    }

    [Fact]
    public async Task Of_nodes_that_all_fail_to_take_a_transaction_the_chains_refusal_is_told_and_one_that_has_it_already_is_none_of_them()
    {
        _chain.AddNode((method, _, honest) => method == "eth_sendRawTransaction" ? 7 : honest());
        var second = _chain.AddNode((method, _, honest) => method == "eth_sendRawTransaction" ? throw new ScriptedRefusal("insufficient funds") : honest());
        using var endpoints = new ChainEndpoints(["http://127.0.0.1:1", .. _chain.Addresses]);
        var client = new ChainClient(endpoints);
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => client.SendAsync([2, 1], Cancellation));
        Assert.Equal(ChainFaultKind.Refused, fault.Kind);
        Assert.Contains("insufficient funds", fault.Message, StringComparison.Ordinal);
        second.Say = (_, _, _) => throw new ScriptedRefusal("already known");
        await client.SendAsync([2, 1], Cancellation);
    }

    [Theory]
    [InlineData(false)] // the node drops it and forges a receipt
    [InlineData(true)] // its block is taken back before anybody looks
    public async Task What_a_receipt_said_to_stand_and_no_block_holds_is_posted_again(bool takenBack)
    {
        var (lost, offers) = ("", 0);
        _chain.AddNode((method, asked, honest) =>
        {
            switch (method)
            {
                case "eth_sendRawTransaction" when offers++ == 0:
                    lost = (string)ScriptedChain.HashOf(asked[0]!)!;
                    return takenBack ? honest() : lost;
                case "eth_getTransactionReceipt" when (string)asked[0]! == lost && takenBack && offers == 1:
                    var receipt = honest();
                    _chain.TakeBack(1);
                    offers++;
                    return receipt;
                case "eth_getTransactionReceipt" when (string)asked[0]! == lost && !takenBack && _chain.Taken.Count == 0:
                    return ScriptedChain.Receipt(lost, succeeded: true);
                default:
                    return honest();
            }
        });
        var operation = _world.Sign(0, _world.Commit(0));
        await using var ledger = await OpenAsync(new EvmLedgerOptions { Contract = _chain.Contract, Confirmations = 1, UnseenMax = TimeSpan.FromMilliseconds(300) });
        Assert.Equal(Rejection.None, ledger.Evm.Append(operation));
        await ledger.UntilAsync(() => ledger.Final == 1);
        await ledger.UntilAsync(() => ledger.Evm.Trouble is null);
        Assert.NotEqual("", lost);
    }

    private static JsonNode? Dropping(string method, JsonArray asked, Func<JsonNode?> honest) => method == "eth_sendRawTransaction" ? ScriptedChain.HashOf(asked[0]!) : honest();

    private async Task<Followed> OpenAsync(EvmLedgerOptions options, SenderOptions? sending = null)
    {
        var path = Path.Combine(_folder, "ledger.cairn");
        EmbeddedLedger.Create(path, _world.Genesis).Dispose();
        var endpoints = _chain.Endpoints();
        var sender = new ChainSender(new ChainClient(endpoints), _key, sending ?? Quick);
        var ledger = await EvmLedger.OpenAsync(path, new ChainClient(endpoints), sender, options with { LookEvery = TimeSpan.FromMilliseconds(10) }, Cancellation);
        return new Followed(_chain, endpoints, sender, ledger, path);
    }

    /// <summary>A ledger that runs while the chain grows.</summary>
    private sealed class Followed : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        private readonly ScriptedChain _chain;
        private readonly ChainEndpoints _endpoints;
        private readonly ChainSender _sender;
        private readonly string _path;
        private readonly Task _running;

        public Followed(ScriptedChain chain, ChainEndpoints endpoints, ChainSender sender, EvmLedger ledger, string path)
        {
            (_chain, _endpoints, _sender, Evm, _path) = (chain, endpoints, sender, ledger, path);
            _running = Evm.RunAsync(_stop.Token);
        }

        public EvmLedger Evm { get; }

        /// <summary>Operations that are final.</summary>
        public int Final
        {
            get
            {
                using var file = EmbeddedLedger.Open(_path, readOnly: true);
                return file.ReadNew().Sum(block => block.Operations.Count);
            }
        }

        public async Task UntilAsync(Func<bool> reached)
        {
            for (var looks = 0; !reached(); looks++)
            {
                Assert.False(_running.IsCompleted, _running.Exception?.ToString());
                Assert.True(looks < 2000, "it does not come to that");
                await Task.Delay(20, Cancellation);
                _chain.Mine();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _running.ContinueWith(_ => { }, TaskScheduler.Default);
            Evm.Dispose();
            _sender.Dispose();
            _endpoints.Dispose();
            _stop.Dispose();
        }
    }
}
