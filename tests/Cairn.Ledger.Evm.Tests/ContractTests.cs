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

    /// <summary>How a token behaves: as contracts/TestToken.sol numbers them.</summary>
    public enum TokenKind
    {
        Proper,
        SaysNothing,
        SaysNo,
        TakesFee,
        CallsBack,
    }

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
        await bank.FundAsync(1_000_000);
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
        await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, tree.Payouts[0], [])); // more than the pool holds: as much as there is
        Assert.Equal(33u, (await bank.HoldingAsync(bank.Accounts[3].Account))!.Credit);
        await bank.RefusedAsync("NothingThere()", CairnMoney.Claim(bank.Run, tree.Payouts[0], []));
        await bank.FundAsync(7);
        await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, tree.Payouts[0], []));
        Assert.Equal(40u, (await bank.HoldingAsync(bank.Accounts[3].Account))!.Credit);
        await bank.AssertConservedAsync();
    }

    [Fact]
    public async Task An_empty_pool_does_not_keep_a_bond_from_being_cut()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100]);
        await bank.RegisterAsync(0, 100 * WeiPerUnit);
        await bank.RegisterAsync(1, 5000);
        var cheat = new Payout(bank.Accounts[1].Account, 1_000_000, 3000); // has earned more than anybody has paid in
        var tree = PayoutTree.Of(bank.Run, [cheat]);
        await bank.SendAsync(bank.Dev, bank.Settle(new ChainSettlement(1, tree.Root, 1, Digest.Zero), 0));
        await bank.MineAsync(DisputeBlocks);
        await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, cheat, []));
        var left = (await bank.HoldingAsync(cheat.Account))!;
        Assert.Equal((2000u, 3000u, 0u), (left.Bond, left.Cut, (await bank.AccountsAsync()).Pool));
        Assert.Equal(left.Earned, left.Credit);
        Assert.InRange(left.Earned, 0u, 100u);
        await bank.AssertConservedAsync();
    }

    [Fact]
    public async Task Who_leaves_gets_what_was_not_cut_after_the_delay_and_a_thief_no_more_than_its_own()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100]);
        await bank.RegisterAsync(0, 100 * WeiPerUnit);
        var thief = (await bank.Dev.SendAsync(null, [.. AnvilNode.CodeOf("Thief"), .. new AbiWriter().Address(bank.Contract).ToArray()], 0, Cancellation)).Contract!.Value;
        using var key = NodeKey.Create();
        byte[] Steal(byte[] first, byte[] then) => new AbiWriter().Bytes(first).Bytes(then).Call("steal(bytes,bytes)");
        await bank.Dev.SendAsync(thief, Steal(CairnMoney.Register(bank.Run, thief, key, 777), []), 777, Cancellation);
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

        // Nor does it get its pay twice, by whatever it asks meanwhile.
        await bank.FundAsync(5000);
        for (var (epoch, earned) = (1ul, 100u); epoch <= 3; (epoch, earned) = (epoch + 1, earned + 100))
        {
            var tree = PayoutTree.Of(bank.Run, [new Payout(thief, earned, 0)]);
            await bank.SendAsync(bank.Dev, bank.Settle(new ChainSettlement(epoch, tree.Root, 1, Digest.Zero), 0));
            await bank.MineAsync(DisputeBlocks);
            var claim = CairnMoney.Claim(bank.Run, tree.Payouts[0], []);
            await bank.SendAsync(bank.Dev, claim);
            await bank.Dev.SendAsync(thief, Steal(CairnMoney.Withdraw(bank.Run), epoch == 1 ? CairnMoney.Withdraw(bank.Run) : epoch == 2 ? claim : CairnMoney.TakeBond(bank.Run)), 0, Cancellation);
            bank.PaidOut += 100;
            Assert.Equal(777u + earned, await node.Chain.BalanceAsync(thief, Cancellation));
            Assert.Equal(((UInt128)(1 + epoch), (UInt128)(1 + epoch)), (await ReadAsync("paid()"), await ReadAsync("refused()")));
            await bank.AssertConservedAsync();
        }

        async Task<UInt128> ReadAsync(string what) => new AbiReader(await node.Chain.ReadAsync(thief, AbiWriter.Selector(what), 64, Cancellation)).Number();
    }

    [Fact]
    public async Task Sums_that_run_over_pay_what_the_pool_holds_and_what_is_asked_costs_a_bounded_amount_of_gas()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100]);
        await bank.RegisterAsync(0, 100 * WeiPerUnit);
        await bank.FundAsync(1000);
        var (alice, most) = (bank.Accounts[3].Account, UInt128.MaxValue);
        Payout[] many = [.. Enumerable.Range(1, 4000).Select(i => new Payout(new EvmAddress(World.Named("account", i).ToArray().AsSpan(12)), (UInt128)i, 0))];
        var tree = PayoutTree.Of(bank.Run, [new Payout(alice, most, 0), new Payout(bank.Accounts[0].Account, 10, most), .. many]);
        var settled = await bank.SendAsync(bank.Dev, bank.Settle(new ChainSettlement(1, tree.Root, 1, Digest.Zero), 0));
        Assert.InRange(settled.GasUsed, 21_000ul, 150_000ul);
        await bank.MineAsync(DisputeBlocks);
        byte[] Claim(EvmAddress account) => tree.Payouts.Single(payout => payout.Account == account) is var one ? CairnMoney.Claim(bank.Run, one, tree.Prove(one)) : [];
        await bank.SendAsync(bank.Dev, Claim(alice));
        Assert.Equal((1033u, 0u), ((await bank.HoldingAsync(alice))!.Credit, (await bank.AccountsAsync()).Pool));
        var claimed = await bank.SendAsync(bank.Dev, Claim(bank.Accounts[0].Account)); // loses more than it has: all of it, and no more
        Assert.InRange(claimed.GasUsed, 21_000ul, 180_000ul);
        Assert.Equal((0u, 100 * WeiPerUnit), ((await bank.HoldingAsync(bank.Accounts[0].Account))!.Bond, (await bank.AccountsAsync()).Burned));
        await bank.RefusedAsync(null, CairnMoney.Claim(bank.Run, many[7], [.. Enumerable.Repeat(Digest.Zero, 500)]));
        await bank.AssertConservedAsync();
    }

    [Theory]
    [InlineData(1, null)]
    [InlineData(2, null)]
    [InlineData(3, TokenKind.Proper)]
    [InlineData(4, TokenKind.SaysNothing)]
    public async Task After_any_sequence_everything_that_was_paid_in_is_held_burned_or_paid_out_to_whom_it_belongs(ulong seed, TokenKind? token)
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [60, 40], token);
        var other = new World().Genesis; // another run in the same contract: nothing that is asked of one may move what the other holds
        var terms = new ChainTerms(WeiPerUnit, DisputeBlocks, ExitBlocks, bank.Token);
        await bank.Dev.SendAsync(bank.Contract, CairnContract.CreateRun(other, terms, [new ChainVoice(bank.Accounts[0].Account, 1)]), 0, Cancellation);
        await bank.SendAsync(bank.Dev, CairnMoney.Fund(other.Digest, 777), 777);
        bank.PaidIn -= 777;
        var fuzz = new Fuzz(bank, node, seed);
        await fuzz.StakeAsync(0, 60 * WeiPerUnit);
        await fuzz.StakeAsync(1, 40 * WeiPerUnit);
        for (var step = 0; step < 120; step++)
        {
            await fuzz.StepAsync();
            await bank.AssertConservedAsync(elsewhere: 777);
            await fuzz.AssertEverybodyHasHisOwnAsync();
        }

        Assert.True(fuzz.Done > 30, $"only {fuzz.Done} of the steps did anything");
        Assert.Equal(777u, CairnMoney.ReadAccounts(await node.Chain.ReadAsync(bank.Contract, CairnContract.RunQuestion(other.Digest), 4096, Cancellation))!.Pool);
        await bank.AssertRecordAsync();
    }

    [Fact]
    public async Task Bonds_and_pay_in_a_token_go_the_same_way_as_coins()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [60, 40], TokenKind.Proper);
        Assert.Equal(bank.Token, (await bank.AccountsAsync()).Token);
        await bank.RegisterAsync(0, 60 * WeiPerUnit);
        await bank.RegisterAsync(1, 40 * WeiPerUnit);
        await bank.FundAsync(500);

        // A coin is no token: what is sent along is refused, and so is what was not allowed, or more than there is.
        var coins = await Assert.ThrowsAsync<ChainFaultException>(() => bank.Dev.SendAsync(bank.Contract, CairnMoney.Fund(bank.Run, 5), 5, Cancellation));
        Assert.Equal(AbiWriter.Selector("NotPaid()"), coins.Reason);
        await bank.RefusedAsync(null, CairnMoney.Fund(bank.Run, 2_000_000_000));
        await bank.RefusedAsync("OutOfRange()", CairnMoney.Fund(bank.Run, (UInt128)1 << 97));
        await bank.RefusedAsync("OutOfRange()", CairnContract.CreateRun(new World().Genesis, new ChainTerms(1, 5, 10, bank.Accounts[0].Account), [new(bank.Dev.Account, 1)]));
        var tree = PayoutTree.Of(bank.Run, [new Payout(bank.Accounts[3].Account, 200, 0), new Payout(bank.Accounts[1].Account, 0, 3000)]);
        await bank.SendAsync(bank.Dev, bank.Settle(new ChainSettlement(1, tree.Root, 1, Digest.Zero), 0, 1));
        await bank.MineAsync(DisputeBlocks);
        foreach (var payout in tree.Payouts)
        {
            await bank.SendAsync(bank.Dev, CairnMoney.Claim(bank.Run, payout, tree.Prove(payout)));
        }

        var before = await bank.MoneyOfAsync(bank.Accounts[3].Account);
        await bank.SendAsync(bank.Accounts[3], CairnMoney.Withdraw(bank.Run));
        Assert.Equal(before + 200, await bank.MoneyOfAsync(bank.Accounts[3].Account));
        await bank.SendAsync(bank.Accounts[1], CairnMoney.Exit(bank.Run));
        await bank.MineAsync(ExitBlocks);
        await bank.SendAsync(bank.Accounts[1], CairnMoney.TakeBond(bank.Run));
        Assert.Equal(1_000_000_000u - 3000, await bank.MoneyOfAsync(bank.Accounts[1].Account));
        Assert.Equal(3000u, (await bank.AccountsAsync()).Burned);
        await bank.AssertConservedAsync();
    }

    [Theory]
    [InlineData(TokenKind.SaysNo)]
    [InlineData(TokenKind.TakesFee)]
    public async Task A_token_that_moves_less_than_it_was_asked_to_is_refused(TokenKind kind)
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100], kind);
        await bank.RefusedAsync(kind == TokenKind.TakesFee ? "NotPaid()" : null, CairnMoney.Fund(bank.Run, 1000));
        using var key = NodeKey.Create();
        await bank.RefusedAsync(null, CairnMoney.Register(bank.Run, bank.Dev.Account, key, 1000));
        await bank.AssertConservedAsync();
    }

    [Fact]
    public async Task Who_is_called_back_by_a_token_gets_no_more_than_its_own()
    {
        node.SkipIfMissing();
        await using var bank = await Bank.OpenAsync(node, [100], TokenKind.CallsBack);
        await bank.RegisterAsync(0, 100 * WeiPerUnit);
        var thief = (await bank.Dev.SendAsync(null, [.. AnvilNode.CodeOf("Thief"), .. new AbiWriter().Address(bank.Contract).ToArray()], 0, Cancellation)).Contract!.Value;
        await bank.Dev.SendAsync(bank.Token, new AbiWriter().Address(thief).Number(10_000).Call("mint(address,uint256)"), 0, Cancellation);
        await bank.Dev.SendAsync(thief, new AbiWriter().Address(bank.Token).Address(bank.Contract).Number(10_000).Call("allow(address,address,uint256)"), 0, Cancellation);
        using var key = NodeKey.Create();
        byte[] Register(UInt128 amount) => CairnMoney.Register(bank.Run, thief, key, amount);
        Task<ChainReceipt> StealAsync(byte[] first, byte[] then) =>
            bank.SendAsync(bank.Dev, thief, new AbiWriter().Bytes(first).Bytes(then).Call("steal(bytes,bytes)"));

        // While its tokens are on their way it stakes others, takes what it has, or leaves; and again while it is paid.
        await StealAsync(Register(700), Register(50));
        await StealAsync(Register(70), CairnMoney.TakeBond(bank.Run));
        await StealAsync(Register(7), CairnMoney.Withdraw(bank.Run));
        Assert.Equal((777u, 9223u), ((await bank.HoldingAsync(thief))!.Bond, await bank.MoneyOfAsync(thief)));
        await bank.AssertConservedAsync();
        await StealAsync(CairnMoney.Exit(bank.Run), []);
        await bank.MineAsync(ExitBlocks);
        await StealAsync(CairnMoney.TakeBond(bank.Run), CairnMoney.TakeBond(bank.Run));
        Assert.Equal((0u, 10_000u), ((await bank.HoldingAsync(thief))!.Bond, await bank.MoneyOfAsync(thief)));
        Assert.Equal((UInt128)4, new AbiReader(await node.Chain.ReadAsync(thief, AbiWriter.Selector("refused()"), 64, Cancellation)).Number());
        await bank.AssertConservedAsync();
    }

    /// <summary>Calls drawn from a seed, honest and not, and a book of what everybody staked and got.</summary>
    private sealed class Fuzz(Bank bank, AnvilNode node, ulong seed)
    {
        private readonly UInt128[] _earned = new UInt128[4];
        private readonly UInt128[] _cut = new UInt128[4];
        private readonly UInt128[] _staked = new UInt128[4];
        private readonly UInt128[] _received = new UInt128[4];
        private readonly List<byte[]> _settled = [];
        private SeededRandom _random = new(seed, "bank");
        private UInt128 _funded = 33;
        private PayoutTree? _tree;
        private ulong _epoch;

        public int Done { get; private set; }

        public async Task StepAsync()
        {
            var who = _random.NextBelow(4);
            try
            {
                await (_random.NextBelow(14) switch
                {
                    0 or 1 => StakeAsync(who, (UInt128)_random.NextBelow(100_000)),
                    2 => FundAsync((UInt128)(1 + _random.NextBelow(50_000))),
                    3 or 4 => SettleAsync(who),
                    5 or 6 when _tree is not null => ClaimAsync(who, forged: false),
                    7 when _tree is not null => ClaimAsync(who, forged: true),
                    8 when _settled.Count > 0 => bank.RefusedAsync(null, _settled[_random.NextBelow(_settled.Count)]), // said once, it is not said again
                    9 when _tree is not null => bank.SendAsync(bank.Dev, bank.ObjectTo(_epoch, _tree.Root, 1)),
                    10 when _random.NextBelow(4) == 0 => PauseAsync(),
                    11 when who > 1 && _random.NextBelow(3) == 0 => bank.SendAsync(bank.Accounts[who], CairnMoney.Exit(bank.Run)),
                    12 => TakeAsync(who, CairnMoney.TakeBond(bank.Run)),
                    _ => TakeAsync(who, CairnMoney.Withdraw(bank.Run)),
                });
                Done++;
            }
            catch (ChainFaultException)
            {
                // Refused: nothing moved. That is checked as well.
            }
        }

        // What an account staked and earned is what it holds and got, less what was burned of it; and that is no more than it was cut.
        public async Task AssertEverybodyHasHisOwnAsync()
        {
            var (burned, credited) = ((UInt128)0, (UInt128)0);
            for (var who = 0; who < 4; who++)
            {
                var has = (await bank.HoldingAsync(bank.Accounts[who].Account))!;
                var (mine, there) = (_staked[who] + has.Earned, has.Bond + has.Credit + _received[who]);
                Assert.True(there <= mine && mine - there <= has.Cut && has.Earned <= _earned[who], $"account {who} staked {_staked[who]}, got {_received[who]}: {has}");
                (burned, credited) = (burned + mine - there, credited + has.Earned);
            }

            var run = await bank.AccountsAsync();
            Assert.Equal((burned, _funded - credited), (run.Burned, run.Pool));
        }

        public async Task StakeAsync(int who, UInt128 bond)
        {
            await bank.RegisterAsync(who, bond);
            _staked[who] += bond;
        }

        private async Task FundAsync(UInt128 amount)
        {
            await bank.FundAsync(amount);
            _funded += amount;
        }

        private async Task SettleAsync(int who)
        {
            var (earned, cut) = (_earned[who] + (UInt128)_random.NextBelow(20_000), _cut[who] + (UInt128)_random.NextBelow(30_000));
            Payout Of(int i) => i == who ? new Payout(bank.Accounts[i].Account, earned, cut) : new Payout(bank.Accounts[i].Account, _earned[i], _cut[i]);
            var next = PayoutTree.Of(bank.Run, Enumerable.Range(0, 4).Select(Of));
            var call = bank.Settle(new ChainSettlement(_epoch + 1, next.Root, 1, Digest.Zero), 0, 1);
            await bank.SendAsync(bank.Dev, call);
            _settled.Add(call);
            (_epoch, _tree, _earned[who], _cut[who]) = (_epoch + 1, next, earned, cut);
        }

        private async Task ClaimAsync(int who, bool forged)
        {
            var payout = _tree!.Payouts[_random.NextBelow(_tree.Payouts.Count)];
            var said = !forged ? payout : _random.NextBelow(2) == 0 ? payout with { Earned = payout.Earned + 1 } : payout with { Account = bank.Accounts[who].Account, Cut = 0 };
            await bank.SendAsync(bank.Accounts[who], CairnMoney.Claim(bank.Run, said, _tree.Prove(payout)));
            Assert.True(said == payout, "what was forged was paid");
        }

        private async Task PauseAsync() => await bank.SendAsync(bank.Dev, bank.Pause(await node.Chain.HeightAsync(Cancellation) + 3, 0, 1));

        private async Task TakeAsync(int who, byte[] call)
        {
            var before = bank.PaidOut;
            await bank.SendAsync(bank.Accounts[who], call);
            _received[who] += bank.PaidOut - before;
        }
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

        public EvmAddress Token { get; private set; }

        public UInt128 PaidIn { get; set; }

        public UInt128 PaidOut { get; set; }

        public static async Task<Bank> OpenAsync(AnvilNode node, ulong[] units, TokenKind? token = null)
        {
            var bank = new Bank(node, units) { _chainId = await node.Chain.ChainIdAsync(Cancellation) };
            bank.Contract = await node.DeployAsync(bank.Dev);
            foreach (var account in bank.Accounts)
            {
                await bank.Dev.SendAsync(account.Account, [], 1_000_000_000_000_000_000, Cancellation);
            }

            var voices = units.Select((unit, i) => new ChainVoice(bank.Accounts[i].Account, unit)).ToList();
            if (token is { } kind)
            {
                await bank.MintAsync(kind);
            }

            var create = CairnContract.CreateRun(bank.World.Genesis, new ChainTerms(WeiPerUnit, DisputeBlocks, ExitBlocks, bank.Token), voices);
            await bank.SendAsync(bank.Dev, create, token is null ? 33u : 0);
            if (token is TokenKind.Proper or TokenKind.SaysNothing)
            {
                await bank.FundAsync(33);
            }

            return bank;
        }

        public ulong UnitsOf(int voice) => _units[voice];

        public byte[] Post(SignedOperation operation) => CairnContract.Post(Run, operation);

        public byte[] Settle(ChainSettlement settlement, params int[] signers) =>
            CairnMoney.Settle(Run, settlement, Signed(CairnMoney.SettleDigest(_chainId, Contract, Run, settlement), signers));

        public byte[] ObjectTo(ulong epoch, Digest root, params int[] signers) =>
            CairnMoney.ObjectTo(Run, epoch, Signed(CairnMoney.ObjectDigest(_chainId, Contract, Run, epoch, root), signers));

        public byte[] Pause(ulong until, params int[] signers) => CairnMoney.Pause(Run, until, Signed(CairnMoney.PauseDigest(_chainId, Contract, Run, until), signers));

        public Task<ChainReceipt> FundAsync(UInt128 amount) => SendAsync(Dev, CairnMoney.Fund(Run, amount), amount);

        // Everybody has some, and lets the contract take it.
        private async Task MintAsync(TokenKind kind)
        {
            Token = (await Dev.SendAsync(null, [.. AnvilNode.CodeOf("TestToken"), .. new AbiWriter().Number((uint)kind).ToArray()], 0, Cancellation)).Contract!.Value;
            foreach (var account in (ChainSender[])[Dev, .. Accounts])
            {
                await Dev.SendAsync(Token, new AbiWriter().Address(account.Account).Number(1_000_000_000).Call("mint(address,uint256)"), 0, Cancellation);
                await account.SendAsync(Token, Erc20.Approve(Contract, 1_000_000_000), 0, Cancellation);
            }
        }

        public Task RegisterAsync(int who, UInt128 bond) => SendAsync(Accounts[who], CairnMoney.Register(Run, Accounts[who].Account, _nodeKeys[who], bond), bond);

        public Task<ChainReceipt> SendAsync(ChainSender sender, byte[] call, UInt128 value = default) => SendAsync(sender, Contract, call, value);

        public async Task<ChainReceipt> SendAsync(ChainSender sender, EvmAddress to, byte[] call, UInt128 value = default)
        {
            var before = await MoneyOfAsync(Contract);
            var receipt = await sender.SendAsync(to, call, Token == default ? value : 0, Cancellation);
            var after = await MoneyOfAsync(Contract);
            PaidIn += value;
            PaidOut += before + value - after;
            return receipt;
        }

        /// <summary>What an account has of the run's money.</summary>
        public async Task<UInt128> MoneyOfAsync(EvmAddress account) => Token == default ? await _node.Chain.BalanceAsync(account, Cancellation)
            : Erc20.ReadAmount(await _node.Chain.ReadAsync(Token, Erc20.BalanceQuestion(account), 64, Cancellation))!.Value;

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

        /// <summary>What is read of the contract's events is what it keeps of them.</summary>
        public async Task AssertRecordAsync()
        {
            var created = await EvmLedger.CreatedAsync(_node.Chain, Contract, Run, Cancellation);
            var head = await _node.Chain.HeightAsync(Cancellation);
            var logs = await _node.Chain.LogsAsync(Contract, Run, created, head, Cancellation);
            Assert.True(logs.Select(log => log.Topics[0]).Distinct().Count() >= 6, "too few kinds of events to prove anything");
            Assert.Equal(CairnContract.ReadRecord(await _node.Chain.ReadAsync(Contract, CairnContract.RunQuestion(Run), 4096, Cancellation)), default(EventRecord).After(logs));
        }

        public async Task AssertConservedAsync(UInt128 elsewhere = default)
        {
            var (held, run) = (await MoneyOfAsync(Contract) - elsewhere, await AccountsAsync());
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
