using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>Transactions of an account on a real EVM: nonces, fees, replacements, reasons.</summary>
public sealed class SenderTests(ManualAnvilNode node) : IClassFixture<ManualAnvilNode>
{
    private static readonly SenderOptions Quick = new() { PollEvery = TimeSpan.FromMilliseconds(20), GiveUpAfter = TimeSpan.FromSeconds(60) };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transaction_that_waits_too_long_is_replaced_by_one_that_pays_more()
    {
        node.SkipIfMissing();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick with { ReplaceAfter = TimeSpan.FromMilliseconds(200) });
        var nonce = await node.Chain.NonceAsync(sender.Account, pending: false, Cancellation);
        var sending = sender.SendAsync(node.Dev.Address, [], 1, Cancellation);
        while (sender.Replacements < 2)
        {
            await Task.Delay(20, Cancellation);
        }

        Assert.False(sending.IsCompleted);
        await node.MineAsync();
        Assert.True((await sending).Succeeded);
        Assert.Equal(nonce + 1, await node.Chain.NonceAsync(sender.Account, pending: false, Cancellation));
    }

    [Fact]
    public async Task Many_callers_share_one_row_of_nonces_and_each_waits_for_its_confirmations()
    {
        node.SkipIfMissing();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick with { Confirmations = 2 });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var mining = MineUntilAsync(stop.Token);
        var receipts = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => sender.SendAsync(node.Dev.Address, [], (UInt128)i, Cancellation)));
        var height = await node.Chain.HeightAsync(Cancellation);
        Assert.Equal(5, receipts.Select(receipt => receipt.Block).Distinct().Count());
        Assert.All(receipts, receipt => Assert.True(receipt.Succeeded && receipt.Block + 2 <= height));
        await stop.CancelAsync();
        await mining;
    }

    [Fact]
    public async Task Two_processes_of_one_account_get_both_their_transactions_through()
    {
        node.SkipIfMissing();
        using var one = new ChainSender(node.Chain, node.Dev, Quick);
        using var other = new ChainSender(node.Chain, node.Dev, Quick);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var mining = MineUntilAsync(stop.Token);
        for (var i = 0; i < 3; i++)
        {
            var before = await node.Chain.NonceAsync(one.Account, pending: false, Cancellation);
            await Task.WhenAll(ThroughAsync(one), ThroughAsync(other));
            Assert.Equal(before + 2, await node.Chain.NonceAsync(one.Account, pending: false, Cancellation)); // each once, whoever had to try again
        }

        await stop.CancelAsync();
        await mining;
    }

    [Fact]
    public async Task What_a_contract_refuses_is_refused_before_it_costs_anything_and_with_its_reason()
    {
        node.SkipIfMissing();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var mining = MineUntilAsync(stop.Token);
        var contract = await node.DeployAsync(sender);
        var before = await node.Chain.BalanceAsync(sender.Account, Cancellation);
        var call = CairnMoney.Exit(Digest.Of("no", []));
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => sender.SendAsync(contract, call, 0, Cancellation));
        Assert.Equal(ChainFaultKind.Refused, fault.Kind);
        Assert.Equal(AbiWriter.Selector("NoSuchRun()"), fault.Reason);
        Assert.Equal(before, await node.Chain.BalanceAsync(sender.Account, Cancellation));
        await stop.CancelAsync();
        await mining;
    }

    [Fact]
    public async Task More_than_the_highest_fee_is_never_offered()
    {
        node.SkipIfMissing();
        await node.MineAsync();
        using var sender = new ChainSender(node.Chain, node.Dev, Quick with { FeePerGasMax = 1 });
        var fault = await Assert.ThrowsAsync<ChainFaultException>(() => sender.SendAsync(node.Dev.Address, [], 1, Cancellation));
        Assert.Contains("at most", fault.Message, StringComparison.Ordinal);
    }

    private async Task ThroughAsync(ChainSender sender)
    {
        while (true)
        {
            try
            {
                Assert.True((await sender.SendAsync(node.Dev.Address, [], 5, Cancellation)).Succeeded);
                return;
            }
            catch (ChainFaultException fault) when (fault.Message.Contains("taken the place", StringComparison.Ordinal))
            {
                // Nothing of this one stands: it may be sent again.
            }
        }
    }

    private async Task MineUntilAsync(CancellationToken cancellation)
    {
        try
        {
            while (!cancellation.IsCancellationRequested)
            {
                await node.ControlAsync("evm_mine");
                await Task.Delay(60, cancellation);
            }
        }
        catch (OperationCanceledException)
        {
            // Enough.
        }
    }
}
