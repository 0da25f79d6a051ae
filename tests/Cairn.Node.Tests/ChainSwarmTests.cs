using System.Text.Json.Nodes;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;
using Cairn.Ledger.Evm.Tests;

namespace Cairn.Node.Tests;

/// <summary>A swarm whose ledger a real EVM orders: what is learned is the same as with the ledger's file, whatever befalls the chain.</summary>
public sealed class ChainSwarmTests(SmallRun run, TickingAnvilNode node) : IClassFixture<TickingAnvilNode>
{
    [Fact]
    public async Task A_chain_that_is_reorganised_stalled_and_restarted_and_a_stop_in_between_change_nothing()
    {
        node.SkipIfMissing();
        using var folder = new TestFolder();
        var options = run.Options(folder["run"]) with { Chain = new ChainOptions { Nodes = [node.Address], Confirmations = 4 } };
        var (struck, strikes) = (new HashSet<int>(), new List<Task>());
        var stopped = await SmallRun.RunAsync(options, happened =>
        {
            if (happened is StageChanged { Round: < 4 } stage && struck.Add(stage.Round))
            {
                strikes.Add(StrikeAsync(stage.Round));
            }

            return happened is StageChanged { Round: 4 };
        });
        await Task.WhenAll(strikes);
        Assert.False(stopped.Finished);

        // Validators agree on other rules meanwhile, over the chain; none of them moves a base.
        var voted = await ChainVoices.VoteRulesAsync(
            new RunDirectory(folder["run"]), new RulesVote.Propose(new Round(6), [ChangeableRule.Read("stageSecondsMax=1234")]), [], new ChainOptions(),
            TestContext.Current.CancellationToken);
        Assert.Equal(["stageSecondsMax=1234"], Assert.Single(voted.Carried).Changes);

        // It goes on by itself on the chain that its folder names.
        var outcome = await SmallRun.RunAsync(run.Options(folder["run"]) with { Resume = true });
        Assert.True(outcome.Finished);
        Assert.Empty(outcome.Halted);
        Assert.Equal(run.Undisturbed.Report.BaseDigest, outcome.Report.BaseDigest);
        Assert.Equal(run.Undisturbed.Report.PerPeer, outcome.Report.PerPeer);
        Assert.True(outcome.Report.DigestAgreement);

        // Whoever has the chain and the store finds the same, and a checkpoint with the quorum's base.
        var directory = new RunDirectory(folder["run"]);
        var audit = await ChainAudit.RunAsync(
            [node.Address], directory.Places.Chain!.Contract, ChainAudit.RunOf(directory), 4, directory, directory.Store, TestContext.Current.CancellationToken);
        Assert.Equal((true, outcome.Report.BaseDigest), (audit.FolderAgrees, audit.Rounds[^1].Base));
        Assert.Empty(audit.Store!.Faults);
        Assert.NotNull(audit.Store.CheckpointBase);
        Assert.Equal((2, 6, true), (audit.Votes.Carried[0].Number, audit.Votes.Carried[0].From, audit.Votes.Carried[0].InForce));
    }

    [Fact]
    public async Task What_members_earned_is_settled_claimed_and_found_again_from_the_chain_alone()
    {
        node.SkipIfMissing();
        using var folder = new TestFolder();
        var (chain, cancellation) = (new ChainOptions(), TestContext.Current.CancellationToken);
        var options = run.Options(folder["run"]) with { Rounds = 2, Chain = new ChainOptions { Nodes = [node.SocketAddress], Confirmations = 1 } };
        var outcome = await SmallRun.RunAsync(options);
        var directory = new RunDirectory(folder["run"]);
        var contract = directory.Places.Chain!.Contract;
        Task<AuditReport> AuditAsync() => ChainAudit.RunAsync([node.Address], contract, ChainAudit.RunOf(directory), 1, directory, directory.Store, cancellation);
        var before = await AuditAsync();
        Assert.Empty(before.Store!.Faults);
        Assert.Equal((2 * run.Undisturbed.Report.PerPeer.Count, 2), (before.Store.Updates, before.Store.Means));
        Assert.True(before.FolderAgrees);
        Assert.Equal(("Finished", outcome.Report.BaseDigest), (before.Stage, before.Rounds[^1].Base));
        Assert.All(before.Members, member => Assert.Null(member.Account));

        // Who only watches, and has nothing but the address of a node, sees the same.
        var watched = folder["watched.cairn"];
        var line = await ChainWatch.BeginAsync(watched, [node.Address], contract, ChainAudit.RunOf(directory), null, cancellation);
        using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            var trouble = new List<string>();
            var following = ChainWatch.FollowAsync(watched, line, trouble.Add, stop.Token);
            while (File.ReadAllBytes(watched).Length < new FileInfo(directory.Ledger).Length)
            {
                Assert.False(following.IsCompleted, string.Join(" ", trouble));
                await Task.Delay(50, cancellation);
            }

            await stop.CancelAsync();
            await following;
            Assert.Empty(trouble);
        }

        Assert.Equal(await File.ReadAllBytesAsync(directory.Ledger, cancellation), await File.ReadAllBytesAsync(watched, cancellation));
        await Assert.ThrowsAsync<InputException>(() => ChainWatch.BeginAsync(folder["none.cairn"], [node.Address], contract, Digest.Of([1]), null, cancellation));

        // Several nodes are compared: one is read, the others say whether it is so.
        using (var other = new Middleman(node.Address))
        {
            other.Say = (method, asked, honest) => method == "eth_getBlockByNumber" && (string)asked[0]! != "latest" ? OfAnotherChain(honest!) : null;
            async Task<IEnumerable<AuditVoice>> VoicesAsync(params string[] nodes) =>
                (await ChainAudit.RunAsync(nodes, contract, ChainAudit.RunOf(directory), 1, directory, null, cancellation)).Nodes.Select(one => one.Voice);
            Assert.Equal([AuditVoice.Read, AuditVoice.Silent, AuditVoice.Agrees], await VoicesAsync(node.Address, "http://127.0.0.1:1", node.SocketAddress));
            Assert.Equal([AuditVoice.Read, AuditVoice.Differs], await VoicesAsync(node.Address, other.Address));
            Assert.Equal([AuditVoice.Differs, AuditVoice.Read, AuditVoice.Agrees], await VoicesAsync(other.Address, node.Address, node.SocketAddress));
        }

        // A voice without its bond does not count, and says so.
        Assert.Equal(0ul, (await ChainMoney.SettleAsync(directory, null, [], chain, cancellation)).Block);
        Assert.Equal("1000000000000000 wei", (await ChainMoney.BindAsync(directory, "validator-1", null, chain, cancellation)).ToString());
        await ChainMoney.BindAsync(directory, "peer-2", 5, chain, cancellation);
        Assert.Equal(1_000_000_000_000_000_000u, (await ChainMoney.FundAsync(directory, 1_000_000_000_000_000_000, chain, cancellation)).Amount);
        await node.ControlAsync("anvil_mine", "[\"0x2\"]");
        await Assert.ThrowsAsync<InputException>(() => ChainMoney.ClaimAsync(directory, chain, cancellation)); // nothing is settled
        Assert.Contains("no signature", (await Assert.ThrowsAsync<InputException>(() => ChainMoney.SettleAsync(directory, null, ["0x0:00"], chain, cancellation))).Message, StringComparison.Ordinal);
        var settled = await ChainMoney.SettleAsync(directory, null, [], chain, cancellation);
        Assert.True(settled.Block > 0);
        await node.ControlAsync("anvil_mine", "[\"0xc\"]");
        var claimed = await ChainMoney.ClaimAsync(directory, chain, cancellation);
        var earned = (UInt128)before.Members.Where(member => member.Name is "validator-1" or "peer-2").Sum(member => member.Reward) * 1_000_000;
        Assert.True(earned > 0);
        Assert.Equal((earned, (UInt128)0, earned), (claimed.Earned, claimed.Cut, claimed.Withdrawn));
        Assert.Equal(0u, (await ChainMoney.ClaimAsync(directory, chain, cancellation)).Withdrawn);
        Assert.Equal(0, await ChainMoney.ClaimForAsync(directory, [], chain, _ => { }, cancellation)); // nothing is outstanding
        await Assert.ThrowsAsync<InputException>(() => ChainMoney.ClaimForAsync(directory, ["0x00000000000000000000000000000000000000aa"], chain, _ => { }, cancellation));
        await node.ControlAsync("anvil_mine", "[\"0x2\"]");
        var after = await AuditAsync();
        Assert.Equal((1_000_000_000_000_000u + 5 + 1_000_000_000_000_000_000u - earned).ToString(), after.HeldWei);
        Assert.Equal(settled.Settlement.Root.ToString(), after.PayoutRoot);
        Assert.Equal(before.State, after.State);
        Assert.Equal(2, after.Members.Count(member => member.Account is not null));

        // By an invite alone a stranger finds chain, ledger, rules and data; one that knows another history is refused.
        await RunSetup.PublishAsync(directory, File.ReadAllBytes(directory.Rules), directory.Store, new StoreAccess(), _ => { }, cancellation);
        Assert.True(Invite.TryParse(Invite.Of(directory).ToString(), out var invite));
        Assert.StartsWith("evm://31337/", invite.Ledger, StringComparison.Ordinal);
        var hers = new RunDirectory(folder["hers"]);
        await Assert.ThrowsAsync<InputException>(() => RunSetup.JoinAsync(invite with { State = Digest.Zero }, hers, [], _ => { }, cancellation));
        await RunSetup.JoinAsync(invite, hers, [], _ => { }, cancellation);
        Assert.Equal((invite.Genesis, directory.Places.Chain, invite.Store), (ChainAudit.RunOf(hers), hers.Places.Chain! with { Nodes = directory.Places.Chain.Nodes }, hers.Places.Store));
        Assert.Equal([node.SocketAddress], hers.Places.Chain.Nodes);

        // A run that is over takes no votes, and says so.
        await Assert.ThrowsAsync<InputException>(() => ChainVoices.VotePauseAsync(directory, true, [], chain, cancellation));
        await Assert.ThrowsAsync<InputException>(() => ChainVoices.VoteRulesAsync(
            directory, new RulesVote.Propose(new Round(9), [ChangeableRule.Read("stageSecondsMax=1234")]), [], chain, cancellation));
        await Assert.ThrowsAsync<InputException>(() => ChainVoices.LeaveAsync(directory, "nobody", chain, cancellation));

        // What a store has lost, or holds otherwise than the ledger names it, is told.
        var files = Directory.GetFiles(Path.Combine(directory.Store, "rounds"), "*", SearchOption.AllDirectories).Where(path => path.Contains("updates", StringComparison.Ordinal)).Order().ToList();
        File.Delete(files[0]);
        File.WriteAllBytes(files[1], [1, 2, 3]);
        var spoiled = (await AuditAsync()).Store!;
        Assert.Equal((before.Store.Updates - 2, 2), (spoiled.Updates, spoiled.Faults.Count));
        Assert.Contains(spoiled.Faults, fault => fault.Contains("nowhere", StringComparison.Ordinal));
        Assert.Contains(spoiled.Faults, fault => fault.Contains("damaged", StringComparison.Ordinal));
    }

    private static JsonNode OfAnotherChain(JsonNode block)
    {
        var other = block.DeepClone();
        other["hash"] = other["parentHash"]!.DeepClone();
        return other;
    }

    [Fact]
    public async Task Bonds_and_pool_of_a_run_are_in_the_token_that_it_was_created_with()
    {
        node.SkipIfMissing();
        using var folder = new TestFolder();
        var cancellation = TestContext.Current.CancellationToken;
        using var sender = new ChainSender(node.Chain, node.Dev);
        var token = (await sender.SendAsync(null, [.. AnvilNode.CodeOf("TestToken"), .. new AbiWriter().Number(0).ToArray()], 0, cancellation)).Contract!.Value;
        await sender.SendAsync(token, new AbiWriter().Address(sender.Account).Number(1_000).Call("mint(address,uint256)"), 0, cancellation);
        var chain = new ChainOptions { Nodes = [node.Address], Confirmations = 1, BondToken = token.ToString(), WeiPerUnit = 2 };
        SwarmOptions Options(ChainOptions how) => run.Options(folder["run"]) with { Rounds = 2, Chain = how };
        void Found(ChainOptions how) => Swarm.Found(Options(how), null, new StoreAccess(), _ => { }, cancellation);
        Assert.Contains("no token", Assert.Throws<InputException>(() => Found(chain with { BondToken = sender.Account.ToString() })).Message, StringComparison.Ordinal);
        Assert.Contains("no address", Assert.Throws<InputException>(() => Found(chain with { BondToken = "token" })).Message, StringComparison.Ordinal);
        await Task.Run(() => Found(chain), cancellation);

        // What was allowed before, and is too little, is raised by way of none, as some tokens want it.
        var (directory, here) = (new RunDirectory(folder["run"]), new ChainOptions());
        var contract = directory.Places.Chain!.Contract;
        Assert.True(EvmAddress.TryParse(contract, out var address));
        using var again = new ChainSender(node.Chain, node.Dev); // the account was used elsewhere meanwhile
        await again.SendAsync(token, Erc20.Approve(address, 3), 0, cancellation);
        Assert.Equal($"600 parts of token {token}", (await ChainMoney.BindAsync(directory, "validator-1", 600, here, cancellation)).ToString());
        Assert.Equal(400u, (await ChainMoney.FundAsync(directory, 400, here, cancellation)).Amount);
        var poor = await Assert.ThrowsAsync<InputException>(() => ChainMoney.FundAsync(directory, 1, here, cancellation));
        Assert.Contains("give it more", poor.Message, StringComparison.Ordinal);
        await node.ControlAsync("anvil_mine", "[\"0x2\"]");
        var audit = await ChainAudit.RunAsync([node.Address], contract, ChainAudit.RunOf(directory), 1, directory, null, cancellation);
        Assert.Equal(("1000", $"parts of token {token}"), (audit.HeldWei, audit.Money));
    }

    [Theory]
    [InlineData("evm://31337/0x5FbDB2315678afecb367f032d93F642f64180aa3?confirmations=1&node=http%3A%2F%2F127.0.0.1%3A8545", true)]
    [InlineData("evm://31337/0x5FbDB2315678afecb367f032d93F642f64180aa3?confirmations=1", false)]
    [InlineData("evm://31337/0x5FbDB2315678afecb367f032d93F642f64180aa3?confirmations=01&node=http%3A%2F%2F127.0.0.1%3A8545", false)]
    [InlineData("evm://31337/0x5FbDB2315678afecb367f032d93F642f64180aa3?node=http%3A%2F%2F127.0.0.1%3A8545", false)]
    [InlineData("evm://-1/0x5FbDB2315678afecb367f032d93F642f64180aa3?confirmations=1&node=x", false)]
    [InlineData("evm://1/0x00?confirmations=1&node=x", false)]
    [InlineData("runs/ours/ledger.cairn", false)]
    public void The_place_of_a_ledger_on_a_chain_has_one_form(string text, bool good)
    {
        Assert.Equal(good, RunChain.TryParse(text, out var chain));
        Assert.Equal(good ? text : null, chain?.ToText());
    }

    [Fact]
    public async Task What_does_not_fit_together_is_refused()
    {
        using var folder = new TestFolder();
        TestFolder.Copy(run.WholeFolder, folder["run"]);
        var onFile = run.Options(folder["run"]) with { Resume = true, Chain = new ChainOptions { Nodes = ["http://127.0.0.1:1"] } };
        Assert.Contains("no chain's", (await Assert.ThrowsAsync<InputException>(() => SmallRun.RunAsync(onFile))).Message, StringComparison.Ordinal);
        var nobody = run.Options(folder["new"]) with { Chain = new ChainOptions { Nodes = ["http://127.0.0.1:1"] } };
        Assert.Contains("cannot be reached", (await Assert.ThrowsAsync<InputException>(() => SmallRun.RunAsync(nobody))).Message, StringComparison.Ordinal);
        Assert.False(File.Exists(new RunDirectory(folder["new"]).Ledger));
    }

    private async Task StrikeAsync(int round)
    {
        switch (round)
        {
            case 1:
                await node.ControlAsync("anvil_reorg", "[3,[]]");
                break;
            case 2:
                await node.ControlAsync("evm_setIntervalMining", "[0]");
                await Task.Delay(700, TestContext.Current.CancellationToken);
                await node.ControlAsync("anvil_setIntervalMining", "[1]");
                break;
            case 3:
                await node.DownAsync();
                await Task.Delay(300, TestContext.Current.CancellationToken);
                await node.UpAsync();
                break;
        }
    }
}
