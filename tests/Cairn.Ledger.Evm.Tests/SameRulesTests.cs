using Cairn.Base;
using Cairn.Ledger.Tests;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>The same operations to the embedded ledger and through a real EVM: the whole state is the same after every block, whatever the chain takes back meanwhile.</summary>
public sealed class SameRulesTests(ManualAnvilNode node) : IClassFixture<ManualAnvilNode>, IDisposable
{
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(10), GiveUpAfter = TimeSpan.FromSeconds(60) };
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-evm-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, 0)]
    [InlineData(4, 1)]
    public async Task Embedded_and_chain_hold_the_same_state_after_every_block_with_reorganisations_between(ulong seed, int applyDelay)
    {
        node.SkipIfMissing();
        var run = new RandomRun(seed, applyDelay, changesRules: true);
        run.Play();
        var world = run.World;
        using var sender = new ChainSender(node.Chain, node.Dev, Quick);
        var contract = await MinedAsync(node.DeployAsync(sender));
        var created = await CreateAsync(sender, contract, world.Genesis);
        using var embedded = EmbeddedLedger.Create(Path.Combine(_folder, "ledger.cairn"), world.Genesis, flush: false);
        var state = LedgerState.FromGenesis(world.Genesis);
        var follower = Follow(contract, world, created, confirmations: 4);
        var replay = new ChainReplay(world.Genesis, []);
        var operations = world.Blocks.SelectMany(block => block.Operations).ToList();
        var others = operations.Where(operation => operation.Operation is not VoteRules).ToList();
        var random = new SeededRandom(seed, "chain");
        for (var at = 0; at < operations.Count;)
        {
            var group = operations.Skip(at).Take(1 + random.NextBelow(12)).ToList();
            at += group.Count;

            // Things that must be void: an operation of long ago, one of the future, the same twice. (A vote on rules would count before its turn, and change the run.)
            group.InsertRange(random.NextBelow(group.Count + 1), [operations[random.NextBelow(at)], others[random.NextBelow(others.Count)]]);
            if (random.NextBelow(4) == 0)
            {
                await GoAstrayAsync(sender, contract, world.Genesis.Digest, [.. group.AsEnumerable().Reverse()], follower, replay);
            }

            await MinedAsync(sender.SendAsync(contract, CairnContract.PostBatch(world.Genesis.Digest, group), 0, Cancellation));
            embedded.Append(group);
            foreach (var block in embedded.ReadNew())
            {
                state.Apply(block, verifySignatures: false);
            }

            replay.Take((await follower.LookAsync(Cancellation))!);
            Assert.Equal(state.StateDigest(), replay.State.StateDigest());
            Assert.Equal((state.Height, state.Tip), (replay.State.Height, replay.State.Tip));
        }

        Assert.Equal(Stage.Finished, replay.State.Stage);
        Assert.True(state.RulesVersions.Count > 1, "no change of the rules was carried");
        Assert.True(replay.RolledBack > 2 && replay.Void > 10, "the chain was too tame to prove anything");

        // Whoever comes later and reads all at once sees the same.
        var late = new ChainReplay(world.Genesis, []);
        late.Take((await Follow(contract, world, created, 0).LookAsync(Cancellation))!);
        Assert.Equal(state.Tip, late.State.Tip);
        Assert.Equal(state.StateDigest(), late.State.StateDigest());
    }

    [Fact]
    public async Task What_was_posted_and_thrown_out_by_a_reorganisation_is_posted_again()
    {
        node.SkipIfMissing();
        var world = new World();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick);
        var contract = await MinedAsync(node.DeployAsync(sender));
        await CreateAsync(sender, contract, world.Genesis);
        var path = Path.Combine(_folder, "again.cairn");
        EmbeddedLedger.Create(path, world.Genesis).Dispose();
        var options = new EvmLedgerOptions { Contract = contract, Confirmations = 3, LookEvery = TimeSpan.FromMilliseconds(20) };
        using (var ledger = await EvmLedger.OpenAsync(path, node.Chain, sender, options, Cancellation))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            var running = ledger.RunAsync(stop.Token);
            var snapshot = await node.ControlAsync("evm_snapshot");
            world.CommitAll();
            foreach (var operation in world.Blocks.SelectMany(block => block.Operations))
            {
                Assert.Equal(Rejection.None, ledger.Append(operation));
                Assert.Equal(Rejection.None, ledger.Append(operation)); // it is on its way
            }

            Assert.Equal(Rejection.OutOfTurn, ledger.Append(world.Sign(0, new Commit(new Round(3), Digest.Zero))));
            await PendingAsync();
            await node.MineAsync();
            await Task.Delay(200, Cancellation);
            Assert.Equal(0, OperationsIn(path)); // seen, not final
            Assert.Equal("True", await node.ControlAsync("evm_revert", $"[\"{snapshot}\"]"));
            for (var i = 0; i < 200 && OperationsIn(path) < world.Blocks.Count; i++)
            {
                await node.MineAsync();
                await Task.Delay(50, Cancellation);
            }

            Assert.Equal(world.Blocks.Count, OperationsIn(path));
            Assert.True(ledger.Reorganisations > 0);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }

        // A later life goes on from its cursor; one without cursor reads all and finds the file to be the chain's.
        foreach (var lost in new[] { false, true })
        {
            if (lost)
            {
                File.Delete(path + ".chain");
            }

            using var again = await EvmLedger.OpenAsync(path, node.Chain, null, options, Cancellation);
            Assert.Equal(world.Blocks.Count, OperationsIn(path));
        }

        // A file that holds what the chain does not is never followed on.
        using (var file = EmbeddedLedger.Open(path))
        {
            file.Append(world.Sign(0, world.Reveal(0)));
        }

        world.RevealAll();
        await MinedAsync(sender.SendAsync(contract, CairnContract.Post(world.Genesis.Digest, world.Blocks[^1].Operations[0]), 0, Cancellation));
        for (var i = 0; i < 4; i++)
        {
            await node.MineAsync();
        }

        var message = (await Assert.ThrowsAsync<InputException>(() => EvmLedger.OpenAsync(path, node.Chain, null, options, Cancellation))).Message;
        Assert.Contains("another history", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chain_reorganised_below_what_was_final_is_not_followed_on()
    {
        node.SkipIfMissing();
        var world = new World();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick);
        var contract = await MinedAsync(node.DeployAsync(sender));
        var created = await CreateAsync(sender, contract, world.Genesis);
        var snapshot = await node.ControlAsync("evm_snapshot");
        var follower = Follow(contract, world, created, 1);
        for (var i = 0; i < 4; i++)
        {
            await node.MineAsync();
            Assert.NotNull(await follower.LookAsync(Cancellation));
        }

        await node.ControlAsync("evm_revert", $"[\"{snapshot}\"]");
        Assert.Null(await follower.LookAsync(Cancellation)); // a node that is behind, or a shorter chain: not to be told apart yet
        await node.ControlAsync("evm_setNextBlockTimestamp", "[4102444800]");
        for (var i = 0; i < 6; i++)
        {
            await node.MineAsync();
        }

        Assert.Contains("reorganised", (await Assert.ThrowsAsync<InputException>(() => follower.LookAsync(Cancellation))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whatever_anybody_posts_is_void_or_follows_the_rules()
    {
        node.SkipIfMissing();
        var world = new World();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick);
        var contract = await MinedAsync(node.DeployAsync(sender));
        var created = await CreateAsync(sender, contract, world.Genesis);
        var run = world.Genesis.Digest;
        var other = new World();
        foreach (var bytes in new[] { [0], new byte[500], [.. world.Sign(0, world.Commit(0)).ToBytes(), 0], other.Sign(0, world.Commit(0)).ToBytes(), world.Sign(1, world.Commit(1)).ToBytes() })
        {
            await MinedAsync(sender.SendAsync(contract, new AbiWriter().Word(run).Bytes(bytes).Call("post(bytes32,bytes)"), 0, Cancellation));
        }

        var replay = new ChainReplay(world.Genesis, []);
        replay.Take((await Follow(contract, world, created, 0).LookAsync(Cancellation))!);
        Assert.Equal(1, replay.State.Height);
        Assert.NotNull(replay.State.CommitOf(new Uid(1)));
    }

    // A branch with other operations, or the same in another order, that the chain then gives up.
    private async Task GoAstrayAsync(ChainSender sender, EvmAddress contract, Digest run, List<SignedOperation> group, ChainFollower follower, ChainReplay replay)
    {
        var snapshot = await node.ControlAsync("evm_snapshot");
        var nonce = await node.Chain.NonceAsync(sender.Account, pending: false, Cancellation);
        using var astray = new ChainSender(node.Chain, node.Dev, Quick);
        await MinedAsync(astray.SendAsync(contract, CairnContract.PostBatch(run, group), 0, Cancellation));
        replay.Take((await follower.LookAsync(Cancellation))!);
        await node.MineAsync();
        replay.Take((await follower.LookAsync(Cancellation))!);
        Assert.Equal("True", await node.ControlAsync("evm_revert", $"[\"{snapshot}\"]"));
        Assert.Equal(nonce, await node.Chain.NonceAsync(sender.Account, pending: false, Cancellation));
    }

    private async Task<ulong> CreateAsync(ChainSender sender, EvmAddress contract, Genesis genesis)
    {
        var call = CairnContract.CreateRun(genesis, new ChainTerms(1, 5, 10), [new ChainVoice(node.Dev.Address, 1)]);
        var receipt = await MinedAsync(sender.SendAsync(contract, call, 0, Cancellation));
        Assert.Equal(receipt.Block, await EvmLedger.CreatedAsync(node.Chain, contract, genesis.Digest, Cancellation));
        var logs = await node.Chain.LogsAsync(contract, genesis.Digest, receipt.Block, receipt.Block, Cancellation);
        Assert.True(CairnContract.TryReadCreated(logs[0], out var read, out var terms));
        Assert.Equal((genesis.Digest, new ChainTerms(1, 5, 10)), (read!.Digest, terms));
        return receipt.Block;
    }

    private async Task<T> MinedAsync<T>(Task<T> sending)
    {
        while (!sending.IsCompleted)
        {
            await Task.Delay(10, Cancellation);
            if (!sending.IsCompleted && await node.ControlAsync("txpool_status") is var pool && !pool.Contains("\"pending\":\"0x0\"", StringComparison.Ordinal))
            {
                await node.MineAsync();
            }
        }

        return await sending;
    }

    private async Task PendingAsync()
    {
        while ((await node.ControlAsync("txpool_status")).Contains("\"pending\":\"0x0\"", StringComparison.Ordinal))
        {
            await Task.Delay(20, Cancellation);
        }
    }

    // A chain that has become shorter is believed at once.
    private ChainFollower Follow(EvmAddress contract, World world, ulong created, ulong confirmations) =>
        new(node.Chain, new ChainFollowing(contract, world.Genesis.Digest, confirmations) { LagMax = TimeSpan.Zero }, new ChainPlace(created - 1, Digest.Zero));

    private static int OperationsIn(string path)
    {
        using var file = EmbeddedLedger.Open(path, readOnly: true);
        return file.ReadNew().Sum(block => block.Operations.Count);
    }
}
