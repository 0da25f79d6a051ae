using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Cairn.Base;
using Cairn.Ledger.Tests;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>What is posted over nodes some of which drop it, forge its receipt, or want it to cost much.</summary>
public sealed class PostingTests : IDisposable
{
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(5), GiveUpAfter = TimeSpan.FromSeconds(60), ChainId = ScriptedChain.ChainId };
    private static readonly UInt128 Gwei = 1_000_000_000;
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

    [Theory]
    [InlineData("0x746a528800", 1, 100_000)] // 500 gwei as the tip
    [InlineData("0x1", 1, 5)] // too little gas
    [InlineData("0x1", 1, 100_000_001)] // more than any block has
    [InlineData("0x1", 500_000_000_001, 100_000)] // more for the blocks than is paid at most
    public async Task One_node_of_three_can_make_a_transaction_neither_dear_nor_fail(string tip, ulong fee, ulong gas)
    {
        _chain.AddNode((method, _, honest) => method switch
        {
            "eth_maxPriorityFeePerGas" => tip,
            "eth_estimateGas" => ScriptedChain.Hex(gas),
            "eth_getBlockByNumber" => With(honest()!, "baseFeePerGas", ScriptedChain.Hex(fee)),
            _ => honest(),
        });
        _chain.AddNode();
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
        await sender.SendAsync(_chain.Contract, [1], 0, Cancellation);
        var sent = Assert.Single(_chain.Taken);
        Assert.Equal((Gwei, 3 * Gwei, 125_000ul), (sent.Tip, sent.Fee, sent.Gas));
    }

    [Fact]
    public async Task Of_two_nodes_the_lower_tip_is_paid_and_the_higher_estimate_taken()
    {
        _chain.AddNode((method, _, honest) => method switch
        {
            "eth_maxPriorityFeePerGas" => "0x746a528800",
            "eth_estimateGas" => "0x5",
            "eth_getBlockByNumber" => With(honest()!, "baseFeePerGas", "0xffffffffffffffffffffffffffffffff"),
            _ => honest(),
        });
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
        await sender.SendAsync(_chain.Contract, [1], 0, Cancellation);
        var sent = Assert.Single(_chain.Taken);
        Assert.Equal((Gwei, 500 * Gwei, 125_000ul), (sent.Tip, sent.Fee, sent.Gas)); // of the fee no more is paid than the blocks ask
    }

    [Theory]
    [InlineData(999_999_999, true)] // less than tip and blocks ask
    [InlineData(1_500_000_000, false)]
    public async Task More_than_the_highest_fee_is_never_offered_whatever_all_nodes_say(ulong most, bool refused)
    {
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick with { FeePerGasMax = most });
        if (refused)
        {
            Assert.Contains("at most", (await Assert.ThrowsAsync<ChainFaultException>(() => sender.SendAsync(_chain.Contract, [1], 0, Cancellation))).Message, StringComparison.Ordinal);
            Assert.Empty(_chain.Taken);
        }
        else
        {
            await sender.SendAsync(_chain.Contract, [1], 0, Cancellation);
            Assert.Equal(most, Assert.Single(_chain.Taken).Fee);
        }
    }

    [Fact]
    public async Task A_refusal_by_one_node_is_its_own_trouble_and_by_all_the_chains()
    {
        var honest = _chain.AddNode();
        _chain.AddNode((method, _, honest) => method == "eth_estimateGas" ? throw new ScriptedRefusal("execution reverted") : honest());
        using var endpoints = new ChainEndpoints([.. _chain.Addresses, "http://127.0.0.1:1"]);
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
        Assert.True((await sender.SendAsync(_chain.Contract, [1], 0, Cancellation)).Succeeded);
        honest.Say = (method, _, answer) => method == "eth_estimateGas" ? ScriptedChain.Hex(ulong.MaxValue) : answer();
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => sender.SendAsync(_chain.Contract, [2], 0, Cancellation));
        Assert.Equal(ChainFaultKind.Refused, fault.Kind);
        Assert.Contains("execution reverted", fault.Message, StringComparison.Ordinal);
        Assert.Single(_chain.Taken);
    }

    [Theory]
    [InlineData("0x3e8")]
    [InlineData("0x0")]
    public async Task One_node_of_three_cannot_mute_an_account_by_miscounting_its_transactions(string count)
    {
        _chain.AddNode((method, _, honest) => method == "eth_getTransactionCount" ? count : honest());
        _chain.AddNode();
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        for (var i = 1; i <= 2; i++)
        {
            using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
            Assert.True((await sender.SendAsync(_chain.Contract, [1], 0, Cancellation)).Succeeded);
            Assert.Equal(i, _chain.Taken.Count);
        }
    }

    [Fact]
    public async Task A_node_that_says_nothing_is_waited_for_once_and_not_again_while_others_answer()
    {
        using var silence = new ManualResetEventSlim();
        var asked = 0;
        _chain.AddNode((_, _, honest) =>
        {
            Interlocked.Increment(ref asked);
            silence.Wait(Cancellation);
            return honest();
        });
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        endpoints.Prefer(1);
        var client = new ChainClient(endpoints);
        Assert.Equal(0ul, await client.NonceAsync(_key.Address, pending: true, Cancellation));
        Assert.True(endpoints.Rests(0));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(Gwei, await client.TipAsync(Cancellation));
        }

        Assert.True(asked > 1, "it was not asked again");
        silence.Set();
        for (var i = 0; i < 1000 && endpoints.Rests(0); i++)
        {
            await client.TipAsync(Cancellation);
        }

        Assert.False(endpoints.Rests(0));
    }

    [Fact]
    public async Task One_node_of_three_cannot_have_a_transaction_paid_twice_by_denying_that_it_stands()
    {
        _chain.AddNode((method, asked, honest) => method != "eth_getTransactionReceipt" ? honest() : _chain.Taken.Count == 1 ? null : ScriptedChain.Receipt((string)asked[0]!, succeeded: false));
        _chain.AddNode();
        _chain.AddNode();
        using var endpoints = _chain.Endpoints();
        using var sender = new ChainSender(new ChainClient(endpoints), _key, Quick);
        Assert.True((await sender.SendAsync(_chain.Contract, [1], 0, Cancellation)).Succeeded);
        Assert.True((await sender.SendAsync(_chain.Contract, [2], 0, Cancellation)).Succeeded);
        Assert.Equal(2, _chain.Taken.Count);
    }

    [Fact]
    public async Task What_was_paid_and_failed_is_tried_again_after_longer_and_longer_waits_and_shown()
    {
        _chain.AddNode();
        _chain.Fails = true;
        var time = new HastyClock();
        await using var ledger = await OpenAsync(new EvmLedgerOptions { Contract = _chain.Contract, Confirmations = 1, UnseenMax = TimeSpan.FromDays(1), Time = time });
        Assert.Equal(Rejection.None, ledger.Evm.Append(_world.Sign(0, _world.Commit(0))));
        await ledger.UntilAsync(() => time.LongWaits.Count >= 7);
        Assert.Equal([30, 60, 120, 240, 480, 600, 600], time.LongWaits.Take(7).Select(wait => wait.TotalSeconds));
        await ledger.UntilAsync(() => ledger.Evm.Trouble is not null);
        Assert.Contains("failed in its block", ledger.Evm.Trouble!.What, StringComparison.Ordinal);
        Assert.True(ledger.Evm.Trouble.Waits);
        _chain.Fails = false;
        await ledger.UntilAsync(() => ledger.Final == 1 && ledger.Evm.Trouble is null);
        Assert.Equal(time.LongWaits.Count + 1, _chain.Taken.Count);
    }

    private static JsonNode With(JsonNode block, string field, JsonNode value)
    {
        block[field] = value;
        return block;
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

    /// <summary>Time that passes a few thousand times as fast for whoever waits.</summary>
    private sealed class HastyClock : TimeProvider
    {
        private readonly ConcurrentQueue<TimeSpan> _waits = [];

        /// <summary>Waits longer than those for a chain's node.</summary>
        public IReadOnlyCollection<TimeSpan> LongWaits => _waits;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime > TimeSpan.FromSeconds(15))
            {
                _waits.Enqueue(dueTime);
            }

            return base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? (dueTime / 5000) + TimeSpan.FromMilliseconds(5) : dueTime, period);
        }
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
