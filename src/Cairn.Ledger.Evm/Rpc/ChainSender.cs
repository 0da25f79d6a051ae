using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>Sends the transactions of one account, one after another: counts its nonces, bids fees, replaces what waits too long, and sees each through to the
/// finality that was asked for. One sender an account and process.</summary>
public sealed class ChainSender : IDisposable
{
    // Nodes take a replacement only if it pays a tenth more; an eighth is more than that after rounding.
    private const int BumpDivisor = 8;
    private const int GasMarginDivisor = 4;
    private const int RecentMax = 64;

    // A node may know that a nonce is used a moment before it has the receipt.
    private const int TakenMax = 20;
    private readonly ChainClient _chain;
    private readonly AccountKey _key;
    private readonly SenderOptions _options;
    private readonly SemaphoreSlim _turn = new(1, 1);

    // What was sent of late, in the order of nonces: after a reorganisation it has to be offered again before anything newer can stand.
    private readonly Queue<(ulong Nonce, byte[] Bytes)> _recent = [];
    private ulong? _chainId;
    private ulong? _nonce;

    // One transaction in all the forms in which it was offered; each other than the last pays less.
    private sealed record Bid(EvmTransaction Transaction, IReadOnlyList<byte[]> Sent, long Since)
    {
        // Looks at which its nonce was used and no receipt of it was there.
        public int Taken { get; init; }
    }

    /// <summary>Sends for an account.</summary>
    /// <param name="chain">Where to.</param>
    /// <param name="key">The account's; the caller disposes it.</param>
    /// <param name="options">How.</param>
    public ChainSender(ChainClient chain, AccountKey key, SenderOptions? options = null) => (_chain, _key, _options) = (chain, key, options ?? new SenderOptions());

    /// <summary>Whose transactions these are.</summary>
    public EvmAddress Account => _key.Address;

    /// <summary>How often a transaction was replaced by one with a higher fee.</summary>
    public int Replacements { get; private set; }

    /// <summary>Why the transaction that is on its way stands nowhere yet, as far as the chain has said; empty if nothing is wrong.</summary>
    public string Trouble { get; private set; } = "";

    /// <summary>Sends a transaction and waits until it is as final as the options ask.</summary>
    /// <param name="to">Whom it calls; null to create a contract.</param>
    /// <param name="data">The call.</param>
    /// <param name="value">What it brings, in wei.</param>
    /// <param name="cancellation">Gives up; the transaction may still come to stand.</param>
    /// <exception cref="ChainFaultException">It would fail or failed, the fee would be too high, or it did not come to stand in time.</exception>
    public async Task<ChainReceipt> SendAsync(EvmAddress? to, byte[] data, UInt128 value, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var gas = await _chain.EstimateGasAsync(Account, to, data, value, cancellation);
            _chainId ??= _options.ChainId ?? await _chain.ChainIdAsync(cancellation);
            _nonce ??= await _chain.NonceAsync(Account, pending: true, cancellation);
            var fees = await FeesAsync(cancellation);
            var transaction = new EvmTransaction
            {
                ChainId = _chainId.Value,
                Nonce = _nonce.Value,
                TipPerGas = fees.Tip,
                FeePerGas = fees.Fee,
                Gas = gas + (gas / GasMarginDivisor),
                To = to,
                Value = value,
                Data = data,
            };
            var receipt = await SeeThroughAsync(transaction, cancellation);
            return receipt.Succeeded ? receipt
                : throw new ChainFaultException(ChainFaultKind.Failed, "the transaction failed in its block and changed nothing, and was paid for");
        }
        catch
        {
            // What the chain has taken meanwhile is asked of it the next time.
            _nonce = null;
            throw;
        }
        finally
        {
            Trouble = "";
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<ChainReceipt> SeeThroughAsync(EvmTransaction transaction, CancellationToken cancellation)
    {
        var begun = _options.Time.GetTimestamp();
        var bid = new Bid(transaction, [transaction.Sign(_key)], begun);
        var trouble = await OfferAsync(bid.Sent[^1], cancellation);
        while (true)
        {
            var found = await FindAsync(bid, cancellation);
            if (found is { } receipt && await IsFinalAsync(receipt, cancellation))
            {
                Done(bid);
                return receipt;
            }

            if (_options.Time.GetElapsedTime(begun) > _options.GiveUpAfter)
            {
                throw trouble ?? new ChainFaultException(
                    ChainFaultKind.Unreachable, $"the chain did not take a transaction of {Account} within {_options.GiveUpAfter.TotalMinutes:0} minutes");
            }

            if (found is null)
            {
                (bid, trouble) = await PressAsync(bid, trouble, cancellation);
                Trouble = trouble?.Message ?? "";
            }

            if (bid.Taken == TakenMax)
            {
                throw new ChainFaultException(
                    ChainFaultKind.Unreachable, $"another transaction of {Account} has taken the place of this one: is another process using the account?");
            }

            await Task.Delay(_options.PollEvery, _options.Time, cancellation);
        }
    }

    // A transaction that stands in no block: what is in its way is cleared, or it bids more.
    private async Task<(Bid Bid, ChainFaultException? Trouble)> PressAsync(Bid bid, ChainFaultException? trouble, CancellationToken cancellation)
    {
        try
        {
            if (await _chain.NonceAsync(Account, pending: false, cancellation) > bid.Transaction.Nonce)
            {
                // By itself a moment ago, or by another process of this account. It is never signed anew for the next place: whoever is wrong about that pays twice.
                return (bid with { Taken = bid.Taken + 1 }, trouble);
            }

            if (_options.Time.GetElapsedTime(bid.Since) > _options.ReplaceAfter)
            {
                var higher = await BidHigherAsync(bid.Transaction, cancellation);
                Replacements++;
                bid = new Bid(higher, [.. bid.Sent, higher.Sign(_key)], _options.Time.GetTimestamp());
                return (bid, await OfferAsync(bid.Sent[^1], cancellation));
            }

            return (bid, await OfferAgainAsync(bid, trouble, cancellation));
        }
        catch (ChainFaultException fault)
        {
            return (bid, fault);
        }
    }

    // What an earlier block held and the present chain does not is in the way of everything after it.
    private async Task<ChainFaultException?> OfferAgainAsync(Bid bid, ChainFaultException? trouble, CancellationToken cancellation)
    {
        var next = await _chain.NonceAsync(Account, pending: true, cancellation);
        foreach (var (nonce, lost) in _recent)
        {
            if (nonce >= next && nonce < bid.Transaction.Nonce)
            {
                await OfferAsync(lost, cancellation);
            }
        }

        return next <= bid.Transaction.Nonce ? await OfferAsync(bid.Sent[^1], cancellation) : trouble;
    }

    private void Done(Bid bid)
    {
        _nonce = bid.Transaction.Nonce + 1;
        _recent.Enqueue((bid.Transaction.Nonce, bid.Sent[^1]));
        if (_recent.Count > RecentMax)
        {
            _recent.Dequeue();
        }
    }

    // A refusal here may only mean that the node has it already, or had it in a block that is gone: what counts is where it comes to stand.
    private async Task<ChainFaultException?> OfferAsync(byte[] bytes, CancellationToken cancellation)
    {
        try
        {
            await _chain.SendAsync(bytes, cancellation);
            return null;
        }
        catch (ChainFaultException fault)
        {
            return fault;
        }
    }

    // One node is believed that a transaction stands: whoever follows the chain sees whether it does. That it failed, or stands nowhere though its nonce is used, would
    // make the account pay again: that all are asked.
    private async Task<ChainReceipt?> FindAsync(Bid bid, CancellationToken cancellation)
    {
        foreach (var hash in bid.Sent.Select(bytes => Keccak.Hash(bytes)))
        {
            try
            {
                var receipt = await _chain.ReceiptAsync(hash, cancellation);
                if (receipt is { Succeeded: false } || (receipt is null && bid.Taken > 0))
                {
                    receipt = await _chain.AgreedReceiptAsync(hash, cancellation);
                }

                if (receipt is not null)
                {
                    return receipt;
                }
            }
            catch (ChainFaultException fault) when (fault.Kind != ChainFaultKind.Refused)
            {
                return null;
            }
        }

        return null;
    }

    private async Task<bool> IsFinalAsync(ChainReceipt receipt, CancellationToken cancellation)
    {
        if (_options.Confirmations == 0)
        {
            return true;
        }

        try
        {
            return await _chain.HeightAsync(cancellation) is var height && height >= _options.Confirmations && height - _options.Confirmations >= receipt.Block &&
                (await _chain.BlockAsync(receipt.Block, cancellation))?.Hash == receipt.BlockHash;
        }
        catch (ChainFaultException fault) when (fault.Kind != ChainFaultKind.Refused)
        {
            return false;
        }
    }

    private async Task<EvmTransaction> BidHigherAsync(EvmTransaction before, CancellationToken cancellation)
    {
        var now = await FeesAsync(cancellation);
        var tip = UInt128.Max(now.Tip, before.TipPerGas + (before.TipPerGas / BumpDivisor) + 1);
        var fee = UInt128.Max(now.Fee, before.FeePerGas + (before.FeePerGas / BumpDivisor) + 1);
        return before with { TipPerGas = UInt128.Min(tip, _options.FeePerGasMax), FeePerGas = UInt128.Min(UInt128.Max(fee, tip), _options.FeePerGasMax) };
    }

    // Twice the present fee of the blocks: enough for five full blocks to come. Of that no more is paid than the blocks ask, so that the upper median does no harm; the
    // tip is paid whole.
    private async Task<(UInt128 Tip, UInt128 Fee)> FeesAsync(CancellationToken cancellation)
    {
        var (blocks, tip, most) = (await _chain.BlockFeeAsync(cancellation), await _chain.TipAsync(cancellation), _options.FeePerGasMax);
        if (blocks.Lower > most || tip > most)
        {
            throw new ChainFaultException(
                ChainFaultKind.Refused, $"the chain asks for {UInt128.Max(blocks.Lower, tip)} wei per unit of gas, more than the {most} that are paid at most");
        }

        return (tip, blocks.Upper >= most / 2 ? most : UInt128.Min((2 * blocks.Upper) + tip, most));
    }
}
