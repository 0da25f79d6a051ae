using System.Text.Json.Nodes;
using Cairn.Base;
using Cairn.Ledger.Tests;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>Followers of a real chain some of whose nodes hide, lag, deny, or are of another chain.</summary>
public sealed class LyingNodeTests(ManualAnvilNode node) : IClassFixture<ManualAnvilNode>
{
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(5), GiveUpAfter = TimeSpan.FromSeconds(60) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)] // the newest event is left out
    [InlineData(1)] // the first
    [InlineData(2)] // all
    [InlineData(3)] // another operation stands in the place of the newest
    public async Task A_node_that_hides_or_alters_events_is_found_out_by_the_contracts_record_and_passed_over_for_the_next(int how)
    {
        await using var scene = await Scene.OpenAsync(node);
        using var liar = new Middleman(node.Address);
        liar.Say = (method, _, honest) => method != "eth_getLogs" ? null : Hide(honest!.AsArray(), how);
        await scene.PostAsync(3);

        using var alone = scene.Follow([liar.Address]);
        Assert.Contains("hides", (await Assert.ThrowsAsync<ChainFaultException>(() => alone.Follower.LookAsync(Cancellation))).Message, StringComparison.Ordinal);
        using var both = scene.Follow([liar.Address, node.Address]);
        Assert.Equal(scene.Events, (await both.LookAsync())!.New.Count);
        Assert.Contains(both.Follower.Remarks, remark => remark.Contains(new Uri(liar.Address).Authority, StringComparison.Ordinal));
        var end = await node.Chain.HeightAsync(Cancellation);
        await Assert.ThrowsAsync<ChainFaultException>(() => ChainHistory.ReadAsync(alone.Chain, scene.Contract, scene.Run, end, Cancellation));
        var history = await ChainHistory.ReadAsync(both.Chain, scene.Contract, scene.Run, end, Cancellation);
        Assert.Equal(3, history.Replay.State.Height);
        using var nowhere = new ChainEndpoints(["ws://127.0.0.1:1"]);
        Assert.Equal((true, null), (await history.IsConfirmedAsync(both.Chain.At(1), scene.Contract, Cancellation), await history.IsConfirmedAsync(new ChainClient(nowhere), scene.Contract, Cancellation)));
        liar.Say = (method, _, _) => method == "eth_call" ? JsonNode.Parse($"\"0x{new string('1', 1024)}\"") : null;
        Assert.NotEqual(true, await history.IsConfirmedAsync(both.Chain.At(0), scene.Contract, Cancellation));
    }

    [Fact]
    public async Task A_node_that_hides_events_and_the_record_of_them_is_outvoted_and_named()
    {
        await using var scene = await Scene.OpenAsync(node);
        await scene.PostAsync(1);
        var before = await node.Chain.HeightAsync(Cancellation);
        using var liar = new Middleman(node.Address);
        liar.Say = (method, parameters, honest) => method switch
        {
            "eth_getLogs" => new JsonArray([.. honest!.AsArray().Where(log => Number(log!["blockNumber"]!) <= before).Select(log => log!.DeepClone())]),
            "eth_call" when (string)parameters[1]! != "latest" && Number(parameters[1]!) > before => Old(before),
            _ => null,
        };
        JsonNode? Old(ulong block) => JsonNode.Parse($"\"0x{Convert.ToHexString(node.Chain.ReadAsync(scene.Contract, CairnContract.RunQuestion(scene.Run), 4096, block, Cancellation).Result)}\"");
        await scene.PostAsync(2);
        await scene.MineAsync(3);
        using var other = new Middleman(node.Address);
        using var three = scene.Follow([liar.Address, node.Address, other.Address]);
        Assert.Equal(scene.Events, (await three.LookAsync())!.New.Count);
        Assert.Contains(three.Follower.Remarks, remark => remark.Contains("contradicted by other nodes", StringComparison.Ordinal));

        // Of two the one that is named first is believed, and the other named.
        using var two = scene.Follow([node.Address, liar.Address]);
        Assert.Equal(scene.Events, (await two.LookAsync())!.New.Count);
        Assert.Contains(two.Follower.Remarks, remark => remark.Contains("says otherwise", StringComparison.Ordinal));

        // Whoever had only the liar is told so by all others, and does not go on.
        using var fooled = scene.Follow([liar.Address]);
        Assert.True((await fooled.LookAsync())!.New.Count < scene.Events);
        liar.Say = (_, _, _) => null;
        await scene.PostAsync(1);
        await scene.MineAsync(3);
        Assert.Contains("hidden", (await Assert.ThrowsAsync<InputException>(() => fooled.Follower.LookAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_lags_is_no_reorganisation_until_all_have_lagged_for_long()
    {
        await using var scene = await Scene.OpenAsync(node);
        await scene.PostAsync(1);
        using var slow = new Middleman(node.Address);
        var old = (await slow.AskHonestAsync("eth_getBlockByNumber", "[\"latest\",false]"))!["result"]!;
        slow.Say = (method, parameters, _) => method == "eth_getBlockByNumber" && (string)parameters[0]! == "latest" ? old.DeepClone() : null;
        await scene.PostAsync(2);
        using var both = scene.Follow([slow.Address, node.Address], confirmations: 100);
        both.Chain.Endpoints.Prefer(1);
        var all = (await both.LookAsync())!;
        Assert.Equal(scene.Events, all.New.Count);
        both.Chain.Endpoints.Prefer(0);
        var again = (await both.LookAsync())!;
        Assert.Empty(again.New);
        Assert.Equal(await node.Chain.HeightAsync(Cancellation), again.KeptUpTo);
        Assert.Contains(both.Follower.Remarks, remark => remark.Contains("fewer blocks", StringComparison.Ordinal));

        // All are behind: nothing is said, and nothing taken back, until that has lasted.
        var time = new HandClock();
        using var late = new Middleman(node.Address);
        using var twice = scene.Follow([late.Address, late.Address], time, confirmations: 100);
        Assert.Equal(scene.Events, (await twice.LookAsync())!.New.Count);
        late.Say = slow.Say;
        Assert.Null(await twice.LookAsync());
        time.Pass(TimeSpan.FromSeconds(29));
        Assert.Null(await twice.LookAsync());
        time.Pass(TimeSpan.FromSeconds(2));
        Assert.InRange((await twice.LookAsync())!.KeptUpTo, 1ul, Number(old["number"]!));
    }

    [Fact]
    public async Task A_node_that_denies_what_was_final_or_is_of_another_chain_is_passed_over_and_named()
    {
        await using var scene = await Scene.OpenAsync(node);
        await scene.PostAsync(2);
        await scene.MineAsync(3);
        using var liar = new Middleman(node.Address);
        using var both = scene.Follow([liar.Address, node.Address]);
        Assert.NotNull(await both.LookAsync());
        await scene.MineAsync(1);
        liar.Say = (method, _, honest) => method == "eth_getBlockByNumber" ? Other(honest!) : null;
        Assert.NotNull(await both.LookAsync());
        Assert.Contains(both.Follower.Remarks, remark => remark.Contains("denies", StringComparison.Ordinal));

        liar.Say = (method, _, _) => method == "eth_chainId" ? JsonValue.Create("0x5") : null;
        using var strange = scene.Follow([liar.Address, node.Address]);
        strange.Chain.Endpoints.Expect(31337);
        Assert.NotNull(await strange.LookAsync());
        Assert.Contains(strange.Follower.Remarks, remark => remark.Contains("answers for chain 5", StringComparison.Ordinal));
        Assert.Equal(31337ul, await strange.Chain.ChainIdAsync(Cancellation));
        using var alone = scene.Follow([liar.Address]);
        alone.Chain.Endpoints.Expect(31337);
        Assert.Contains("the run is on chain 31337", (await Assert.ThrowsAsync<ChainFaultException>(() => alone.Follower.LookAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trouble_with_the_chain_is_told_with_its_beginning_and_its_end()
    {
        await using var scene = await Scene.OpenAsync(node);
        using var line = new Middleman(node.Address);
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".cairn");
        EmbeddedLedger.Create(path, scene.World.Genesis).Dispose();
        using var endpoints = new ChainEndpoints([line.Address]);
        var options = new EvmLedgerOptions { Contract = scene.Contract, Confirmations = 1, LookEvery = TimeSpan.FromMilliseconds(10) };
        using (var ledger = await EvmLedger.OpenAsync(path, new ChainClient(endpoints), null, options, Cancellation))
        {
            var told = new List<ChainTrouble?>();
            ledger.Troubled += told.Add;
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var running = ledger.RunAsync(stop.Token);
            line.Say = (_, _, _) => JsonValue.Create(7);
            while (ledger.Trouble is null)
            {
                await Task.Delay(10, Cancellation);
            }

            Assert.True(ledger.Trouble.Waits);
            Assert.InRange((DateTimeOffset.UtcNow - ledger.Trouble.Since).TotalSeconds, 0, 30);
            line.Say = (_, _, _) => null;
            while (ledger.Trouble is not null)
            {
                await Task.Delay(10, Cancellation);
            }

            Assert.Null(told[^1]);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        foreach (var file in Directory.GetFiles(Path.GetTempPath(), Path.GetFileName(path) + "*"))
        {
            File.Delete(file);
        }
    }

    private static JsonArray Hide(JsonArray logs, int how)
    {
        var kept = logs.Select(log => log!.DeepClone()).ToList();
        switch (how)
        {
            case 0:
                kept.RemoveAt(kept.Count - 1);
                break;
            case 1:
                kept.RemoveAt(0);
                break;
            case 2:
                kept.Clear();
                break;
            default:
                var data = ((string)kept[^1]["data"]!).ToCharArray();
                data[300] = data[300] == '0' ? '1' : '0';
                kept[^1]["data"] = new string(data);
                break;
        }

        return new JsonArray([.. kept]);
    }

    private static JsonNode Other(JsonNode block)
    {
        var other = block.DeepClone();
        other["hash"] = "0x" + new string('7', 64);
        return other;
    }

    private static ulong Number(JsonNode text) => Convert.ToUInt64(((string)text!)[2..], 16);

    /// <summary>A run on the chain.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly ManualAnvilNode _node;
        private readonly ChainSender _sender;
        private readonly Queue<SignedOperation> _left;
        private ulong _created;

        private Scene(ManualAnvilNode node)
        {
            (_node, _sender) = (node, new ChainSender(node.Chain, node.Dev, Quick));
            World.CommitAll();
            World.RevealAll();
            _left = new Queue<SignedOperation>(World.Blocks.SelectMany(block => block.Operations));
        }

        public World World { get; } = new();

        public Digest Run => World.Genesis.Digest;

        public EvmAddress Contract { get; private set; }

        public int Events { get; private set; } = 1;

        public static async Task<Scene> OpenAsync(ManualAnvilNode node)
        {
            node.SkipIfMissing();
            var scene = new Scene(node);
            scene.Contract = (await scene.MinedAsync(null, CairnContract.DeployCode())).Contract!.Value;
            scene._created = (await scene.MinedAsync(scene.Contract, CairnContract.CreateRun(scene.World.Genesis, new ChainTerms(1, 5, 10), [new ChainVoice(node.Dev.Address, 1)]))).Block;
            return scene;
        }

        public async Task PostAsync(int operations)
        {
            for (var i = 0; i < operations; i++)
            {
                await MinedAsync(Contract, CairnContract.Post(Run, _left.Dequeue()));
                Events++;
            }
        }

        public async Task MineAsync(int blocks)
        {
            for (var i = 0; i < blocks; i++)
            {
                await _node.MineAsync();
            }
        }

        public Followed Follow(string[] addresses, TimeProvider? time = null, ulong confirmations = 2)
        {
            var endpoints = new ChainEndpoints(addresses);
            var chain = new ChainClient(endpoints);
            var following = new ChainFollowing(Contract, Run, confirmations) { Time = time ?? TimeProvider.System };
            return new Followed(endpoints, chain, new ChainFollower(chain, following, new ChainPlace(_created - 1, Digest.Zero)));
        }

        public ValueTask DisposeAsync()
        {
            _sender.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<ChainReceipt> MinedAsync(EvmAddress? to, byte[] call)
        {
            var sending = _sender.SendAsync(to, call, 0, Cancellation);
            while (!sending.IsCompleted)
            {
                await Task.Delay(10, Cancellation);
                await _node.MineAsync();
            }

            return await sending;
        }
    }

    private sealed record Followed(ChainEndpoints Endpoints, ChainClient Chain, ChainFollower Follower) : IDisposable
    {
        public Task<ChainStep?> LookAsync() => Follower.LookAsync(Cancellation);

        public void Dispose() => Endpoints.Dispose();
    }

    private sealed class HandClock : TimeProvider
    {
        private long _ticks;

        public override long GetTimestamp() => _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(TimeSpan time) => _ticks += time.Ticks;
    }
}
