using System.Text.Json;
using Cairn.Base;
using Cairn.Ledger.Tests;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>The contract on a real EVM: what it costs, who can move what, and that no coin is made or lost.</summary>
public sealed class ContractTests(AnvilNode node) : IClassFixture<AnvilNode>
{
    private const ulong WeiPerUnit = 1000;
    private const uint DisputeBlocks = 5;
    private const uint ExitBlocks = 12;
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(5), GiveUpAfter = TimeSpan.FromSeconds(60) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Operations_cost_what_the_document_says()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100]);
        var world = bank.World;
        world.CommitAll();
        world.RevealAll();
        world.JudgeAll();
        world.PostAllBases();
        var operations = world.Blocks.SelectMany(block => block.Operations).ToList();
        SignedOperation OfKind<T>() => operations.First(operation => operation.Operation is T);
        async Task<ulong> GasAsync(byte[] call) => (await bank.SendAsync(bank.Dev, call)).GasUsed;
        var (commit, reveal, posted) = (await GasAsync(bank.Post(OfKind<Commit>())), await GasAsync(bank.Post(OfKind<Reveal>())), await GasAsync(bank.Post(OfKind<PostBase>())));
        TestContext.Current.SendDiagnosticMessage($"alone: commit {commit}, reveal {reveal}, base {posted}");
        Assert.InRange(commit, 21_000ul, 36_000ul);
        Assert.InRange(posted, 21_000ul, 36_000ul);
        Assert.InRange(reveal, 21_000ul, 42_000ul);
        foreach (var peers in new[] { 8, 64, 256 })
        {
            // The same bytes for every peer: what they say is not what they cost.
            var (gas, blocks) = (0ul, 0);
            foreach (var kind in new[] { OfKind<Commit>(), OfKind<Reveal>(), OfKind<PostBase>() })
            {
                foreach (var part in Enumerable.Repeat(kind, peers).Chunk(200))
                {
                    gas += await GasAsync(CairnContract.PostBatch(bank.Run, part));
                    blocks++;
                }
            }

            TestContext.Current.SendDiagnosticMessage($"batched, {peers} peers: {gas} gas a round in {blocks} transactions, {gas / (ulong)peers} per peer");
            Assert.InRange(gas / (ulong)peers, 1ul, peers == 8 ? 40_000ul : 30_000ul);
            var commits = await GasAsync(CairnContract.PostBatch(bank.Run, [.. Enumerable.Repeat(OfKind<Commit>(), Math.Min(peers, 200))]));
            TestContext.Current.SendDiagnosticMessage($"commits alone, {peers} peers: {commits / (ulong)Math.Min(peers, 200)} per peer");
            Assert.InRange(commits / (ulong)Math.Min(peers, 200), 1ul, 12_000ul);
        }
    }

    [Fact]
    public async Task A_settlement_needs_two_thirds_of_the_bonded_voices_and_pays_after_its_window_once()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [40, 30, 30]);
        await bank.SendAsync(bank.Dev, CairnMoney.Fund(bank.Run), 1_000_000);
        var alice = bank.Accounts[3].Account;
        var tree = PayoutTree.Of(bank.Run, [new Payout(alice, 700, 0), new Payout(bank.Accounts[0].Account, 50, 2000), new Payout(bank.Accounts[1].Account, 1, 0)]);
        var settlement = new ChainSettlement(1, tree.Root, 7, World.Named("checkpoint", 1));

        // Voices that hold no bond have no part in the quorum.
        await bank.RefusedAsync("NoQuorum()", bank.Settle(settlement, 0, 1, 2));
        foreach (var voice in new[] { 0, 1, 2 })
        {
            await bank.RegisterAsync(voice, bank.UnitsOf(voice) * WeiPerUnit);
        }

        await bank.RefusedAsync("NoQuorum()", bank.Settle(settlement, 1, 2)); // 60 of 100
        await bank.RefusedAsync("NoQuorum()", bank.Settle(settlement, 0, 0, 0)); // one three times
        await bank.RefusedAsync("NoQuorum()", bank.Settle(settlement, 0, 3)); // one of a stranger
        await bank.RefusedAsync("OutOfTurn()", bank.Settle(settlement with { Epoch = 2 }, 0, 1, 2));
        await bank.SendAsync(bank.Dev, bank.Settle(settlement, 0, 1)); // 70 of 100
        await bank.RefusedAsync("OutOfTurn()", bank.Settle(settlement with { Epoch = 2 }, 0, 1, 2)); // the window of the first is open
        var mine = tree.Payouts.Single(payout => payout.Account == alice);
        await bank.RefusedAsync("NotInRoot()", CairnMoney.Claim(bank.Run, mine, tree.Prove(mine)));
        await bank.MineAsync(DisputeBlocks);
        await bank.RefusedAsync("NotInRoot()", CairnMoney.Claim(bank.Run, mine with { Earned = 701 }, tree.Prove(mine)));
        await bank.RefusedAsync("NotInRoot()", CairnMoney.Claim(bank.Run, mine with { Account = bank.Accounts[2].Account }, tree.Prove(mine)));
        foreach (var payout in tree.Payouts)
        {
            await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, payout, tree.Prove(payout)));
            await bank.RefusedAsync("NothingThere()", CairnMoney.Claim(bank.Run, payout, tree.Prove(payout)));
        }

        var cut = (await bank.HoldingAsync(bank.Accounts[0].Account))!;
        Assert.Equal((40 * WeiPerUnit) - 2000, cut.Bond);
        Assert.Equal(2000u, (await bank.AccountsAsync()).Burned);
        var before = await node.Chain.BalanceAsync(alice, Cancellation);
        var paid = await bank.SendAsync(bank.Accounts[3], CairnMoney.Withdraw(bank.Run));
        Assert.True(paid.Succeeded);
        Assert.Equal(700u, bank.PaidOut);
        Assert.True(await node.Chain.BalanceAsync(alice, Cancellation) < before + 700);
        await bank.RefusedAsync("NothingThere()", CairnMoney.Withdraw(bank.Run), bank.Accounts[3]);
        await bank.AssertConservedAsync();
    }

    [Fact]
    public async Task A_third_of_the_voices_takes_a_settlement_back_within_its_window_and_two_thirds_stop_payments()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [40, 30, 30]);
        for (var voice = 0; voice < 3; voice++)
        {
            await bank.RegisterAsync(voice, bank.UnitsOf(voice) * WeiPerUnit);
        }

        var tree = PayoutTree.Of(bank.Run, [new Payout(bank.Accounts[3].Account, 40, 0)]);
        var first = new ChainSettlement(1, tree.Root, 1, Digest.Zero);
        await bank.SendAsync(bank.Dev, bank.Settle(first, 0, 1));
        await bank.RefusedAsync("NoQuorum()", bank.ObjectTo(1, tree.Root, 1)); // 30 of 100
        await bank.RefusedAsync("NoQuorum()", bank.ObjectTo(1, World.Named("other", 1), 1, 2));
        await bank.SendAsync(bank.Dev, bank.ObjectTo(1, tree.Root, 1, 2));
        await bank.MineAsync(DisputeBlocks);
        await bank.RefusedAsync("NotInRoot()", CairnMoney.Claim(bank.Run, tree.Payouts[0], []));
        await bank.SendAsync(bank.Dev, bank.Settle(first with { Epoch = 2 }, 0, 2));
        await bank.MineAsync(DisputeBlocks);
        await bank.RefusedAsync("OutOfTurn()", bank.ObjectTo(2, tree.Root, 1, 2));
        var until = await node.Chain.HeightAsync(Cancellation) + 10;
        await bank.RefusedAsync("NoQuorum()", bank.Pause(until, 1, 2));
        await bank.SendAsync(bank.Dev, bank.Pause(until, 0, 2));
        await bank.RefusedAsync("Paused()", CairnMoney.Claim(bank.Run, tree.Payouts[0], []));
        await bank.RefusedAsync("OutOfRange()", bank.Pause(until, 0, 2)); // the same words do not stop it twice
        await bank.MineAsync(10);
        await bank.RefusedAsync(null, CairnMoney.Claim(bank.Run, tree.Payouts[0], [])); // more than the pool holds
        await bank.SendAsync(bank.Dev, CairnMoney.Fund(bank.Run), 7);
        await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, tree.Payouts[0], []));
        await bank.AssertConservedAsync();
    }

    [Fact]
    public async Task Who_leaves_gets_what_was_not_cut_after_the_delay_and_a_thief_no_more_than_its_own()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100]);
        await bank.RegisterAsync(0, 100 * WeiPerUnit);
        var thief = (await bank.Dev.SendAsync(null, [.. bank.ThiefCode(), .. new AbiWriter().Address(bank.Contract).ToArray()], 0, Cancellation)).Contract!.Value;
        using var key = NodeKey.Create();
        byte[] Steal(byte[] first, byte[] then) => new AbiWriter().Bytes(first).Bytes(then).Call("steal(bytes,bytes)");
        await bank.Dev.SendAsync(thief, Steal(CairnMoney.Register(bank.Run, thief, key), []), 777, Cancellation);
        bank.PaidIn += 777;
        await bank.Dev.SendAsync(thief, Steal(CairnMoney.Exit(bank.Run), []), 0, Cancellation);
        await Assert.ThrowsAsync<ChainFaultException>(() => bank.Dev.SendAsync(thief, Steal(CairnMoney.TakeBond(bank.Run), []), 0, Cancellation));
        await bank.MineAsync(ExitBlocks);
        await bank.Dev.SendAsync(thief, Steal(CairnMoney.TakeBond(bank.Run), CairnMoney.TakeBond(bank.Run)), 0, Cancellation);
        bank.PaidOut += 777;
        Assert.Equal(777u, await node.Chain.BalanceAsync(thief, Cancellation));
        Assert.Equal(1u, await ReadAsync("paid()"));
        Assert.Equal(1u, await ReadAsync("refused()"));
        await bank.AssertConservedAsync();
        await bank.RefusedAsync("OutOfTurn()", CairnMoney.TakeBond(bank.Run), bank.Accounts[0]);

        async Task<UInt128> ReadAsync(string what) => new AbiReader(await node.Chain.ReadAsync(thief, AbiWriter.Selector(what), 64, Cancellation)).Number();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task After_any_sequence_everything_that_was_paid_in_is_held_burned_or_paid_out_to_whom_it_belongs(ulong seed)
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [60, 40]);
        var random = new SeededRandom(seed, "bank");
        var (earned, cut, done) = (new UInt128[4], new UInt128[4], 0);
        PayoutTree? tree = null;
        var epoch = 0ul;
        for (var step = 0; step < 120; step++)
        {
            var who = random.NextBelow(4);
            var sender = bank.Accounts[who];
            try
            {
                switch (random.NextBelow(10))
                {
                    case 0 or 1:
                        await bank.RegisterAsync(who, (UInt128)random.NextBelow(100_000));
                        break;
                    case 2:
                        await bank.SendAsync(bank.Dev, CairnMoney.Fund(bank.Run), (UInt128)(1 + random.NextBelow(50_000)));
                        break;
                    case 3:
                        earned[who] += (UInt128)random.NextBelow(20_000);
                        cut[who] += (UInt128)random.NextBelow(30_000);
                        var next = PayoutTree.Of(bank.Run, Enumerable.Range(0, 4).Select(i => new Payout(bank.Accounts[i].Account, earned[i], cut[i])));
                        await bank.SendAsync(bank.Dev, bank.Settle(new ChainSettlement(epoch + 1, next.Root, 1, Digest.Zero), 0, 1));
                        (epoch, tree) = (epoch + 1, next);
                        break;
                    case 4 or 5 when tree is not null:
                        var payout = tree.Payouts[random.NextBelow(tree.Payouts.Count)];
                        await bank.SendAsync(sender, CairnMoney.Claim(bank.Run, payout, tree.Prove(payout)));
                        break;
                    case 6 or 7:
                        await bank.SendAsync(sender, CairnMoney.Withdraw(bank.Run));
                        break;
                    case 8 when who > 1 && random.NextBelow(3) == 0:
                        await bank.SendAsync(sender, CairnMoney.Exit(bank.Run));
                        break;
                    default:
                        await bank.SendAsync(sender, CairnMoney.TakeBond(bank.Run));
                        break;
                }

                done++;
            }
            catch (ChainFaultException)
            {
                // Refused: nothing moved. That is checked as well.
            }

            await bank.AssertConservedAsync();
        }

        Assert.True(done > 30, $"only {done} of the steps did anything");
    }

    /// <summary>A run on the chain with some accounts, and a book of what went in and out.</summary>
    private sealed class Bank : IAsyncDisposable
    {
        private readonly AnvilNode _node;
        private readonly ulong[] _units;
        private readonly List<AccountKey> _keys = [];
        private readonly List<NodeKey> _nodeKeys = [];
        private ulong _chainId;

        private Bank(AnvilNode node, ulong[] units)
        {
            (_node, _units) = (node, units);
            Dev = new ChainSender(node.Chain, node.Dev, Quick);
            for (var i = 0; i < 4; i++)
            {
                _keys.Add(AccountKey.Create());
                _nodeKeys.Add(NodeKey.Create());
                Accounts.Add(new ChainSender(node.Chain, _keys[^1], Quick));
            }
        }

        public World World { get; } = new();

        public Digest Run => World.Genesis.Digest;

        public ChainSender Dev { get; }

        public List<ChainSender> Accounts { get; } = [];

        public EvmAddress Contract { get; private set; }

        public UInt128 PaidIn { get; set; }

        public UInt128 PaidOut { get; set; }

        public static async Task<Bank> OpenAsync(AnvilNode node, ulong[] units)
        {
            var bank = new Bank(node, units) { _chainId = await node.Chain.ChainIdAsync(Cancellation) };
            bank.Contract = await node.DeployAsync(bank.Dev);
            foreach (var account in bank.Accounts)
            {
                await bank.Dev.SendAsync(account.Account, [], 1_000_000_000_000_000_000, Cancellation);
            }

            var voices = units.Select((unit, i) => new ChainVoice(bank.Accounts[i].Account, unit)).ToList();
            await bank.SendAsync(bank.Dev, CairnContract.CreateRun(bank.World.Genesis, new ChainTerms(WeiPerUnit, DisputeBlocks, ExitBlocks), voices), 33);
            return bank;
        }

        public ulong UnitsOf(int voice) => _units[voice];

        public byte[] Post(SignedOperation operation) => CairnContract.Post(Run, operation);

        public byte[] Settle(ChainSettlement settlement, params int[] signers) =>
            CairnMoney.Settle(Run, settlement, Signed(CairnMoney.SettleDigest(_chainId, Contract, Run, settlement), signers));

        public byte[] ObjectTo(ulong epoch, Digest root, params int[] signers) =>
            CairnMoney.ObjectTo(Run, epoch, Signed(CairnMoney.ObjectDigest(_chainId, Contract, Run, epoch, root), signers));

        public byte[] Pause(ulong until, params int[] signers) => CairnMoney.Pause(Run, until, Signed(CairnMoney.PauseDigest(_chainId, Contract, Run, until), signers));

        public byte[] ThiefCode()
        {
            var root = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(root, "Cairn.slnx")))
            {
                root = Path.GetDirectoryName(root)!;
            }

            using var built = JsonDocument.Parse(File.ReadAllText(Path.Combine(root, "contracts/build/Thief.json")));
            return Convert.FromHexString(built.RootElement.GetProperty("bytecode").GetString()!);
        }

        public Task RegisterAsync(int who, UInt128 bond) => SendAsync(Accounts[who], CairnMoney.Register(Run, Accounts[who].Account, _nodeKeys[who]), bond);

        public async Task<ChainReceipt> SendAsync(ChainSender sender, byte[] call, UInt128 value = default)
        {
            var before = await _node.Chain.BalanceAsync(Contract, Cancellation);
            var receipt = await sender.SendAsync(Contract, call, value, Cancellation);
            var after = await _node.Chain.BalanceAsync(Contract, Cancellation);
            PaidIn += value;
            PaidOut += before + value - after;
            return receipt;
        }

        public async Task RefusedAsync(string? error, byte[] call, ChainSender? sender = null)
        {
            var fault = await Assert.ThrowsAsync<ChainFaultException>(() => (sender ?? Dev).SendAsync(Contract, call, 0, Cancellation));
            Assert.Equal(ChainFaultKind.Refused, fault.Kind);
            if (error is not null)
            {
                Assert.Equal(AbiWriter.Selector(error), fault.Reason);
            }
        }

        public Task MineAsync(uint blocks) => _node.ControlAsync("anvil_mine", $"[\"0x{blocks:x}\"]");

        public async Task<ChainAccounts> AccountsAsync() =>
            CairnMoney.ReadAccounts(await _node.Chain.ReadAsync(Contract, CairnContract.RunQuestion(Run), 4096, Cancellation))!;

        public async Task<ChainHolding?> HoldingAsync(EvmAddress account) =>
            CairnMoney.ReadHolding(await _node.Chain.ReadAsync(Contract, CairnMoney.HoldingQuestion(Run, account), 4096, Cancellation));

        public async Task AssertConservedAsync()
        {
            var (held, run) = (await _node.Chain.BalanceAsync(Contract, Cancellation), await AccountsAsync());
            Assert.Equal(PaidIn - PaidOut, held);
            Assert.Equal(held, run.Bonds + run.Pool + run.Credits + run.Burned);
        }

        public ValueTask DisposeAsync()
        {
            Dev.Dispose();
            Accounts.ForEach(account => account.Dispose());
            _keys.ForEach(key => key.Dispose());
            _nodeKeys.ForEach(key => key.Dispose());
            return ValueTask.CompletedTask;
        }

        private IEnumerable<(EvmAddress Author, EvmSignature Signature)> Signed(Digest digest, int[] signers) =>
            signers.Select(i => (_keys[i].Address, _keys[i].Sign(digest)));
    }
}
