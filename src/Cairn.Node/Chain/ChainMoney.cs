using Cairn.Base;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>What a validator has signed of a settlement on the chain, as text that can be handed on.</summary>
/// <param name="Settlement">What is settled.</param>
/// <param name="Signatures">Who has signed, each as address:signature.</param>
/// <param name="Block">The block in which the settlement stands, once the signatures were enough; 0 before.</param>
public sealed record SettleOutcome(ChainSettlement Settlement, IReadOnlyList<string> Signatures, ulong Block);

/// <summary>What an account got by a claim, in the smallest parts of the run's money.</summary>
/// <param name="Account">Whose.</param>
/// <param name="Earned">Since the run began.</param>
/// <param name="Cut">Since the run began.</param>
/// <param name="Withdrawn">Paid out now.</param>
/// <param name="Waits">What the pool does not hold yet.</param>
/// <param name="Money">What they are parts of, in words.</param>
public sealed record ClaimOutcome(string Account, UInt128 Earned, UInt128 Cut, UInt128 Withdrawn, UInt128 Waits, string Money);

/// <summary>A sum of a run's money.</summary>
/// <param name="Amount">In its smallest parts.</param>
/// <param name="Money">What they are parts of, in words.</param>
public readonly record struct ChainSum(UInt128 Amount, string Money)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Amount} {Money}";
}

/// <summary>The money of a run on a chain, as people move it: accounts bound to nodes, bonds, the pool, settlements and claims.</summary>
public static class ChainMoney
{
    /// <summary>Binds the account that pays to a node of this folder, so that it is paid for what the node earns, and stakes a bond.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="name">The node.</param>
    /// <param name="bond">In the smallest parts of the run's money; null for what the account's voice stands for, if it has one.</param>
    /// <param name="options">The account.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What the account has at stake now.</returns>
    /// <exception cref="InputException">The chain does not take it.</exception>
    public static async Task<ChainSum> BindAsync(RunDirectory directory, string name, UInt128? bond, ChainOptions options, CancellationToken cancellation)
    {
        if (!File.Exists(directory.KeyFile(name)))
        {
            throw new InputException($"the key of {name} is not here ({directory.KeyFile(name)}): bind it where that node runs.");
        }

        using var line = await OpenAsync(directory, options, cancellation);
        using var key = directory.OpenKey(name);
        var run = ChainAudit.RunOf(directory);
        var holding = await line.HoldingAsync(run, line.Account, cancellation);
        var accounts = await line.AccountsAsync(run, cancellation);
        var voice = (UInt128)holding.Units * accounts.WeiPerUnit;
        var added = bond ?? (voice > holding.Bond ? voice - holding.Bond : 0);
        await line.SendWithMoneyAsync(accounts, CairnMoney.Register(run, line.Account, key, added), added, cancellation);
        return new ChainSum((await line.HoldingAsync(run, line.Account, cancellation)).Bond, accounts.Money);
    }

    /// <summary>Adds to the pool from which rewards are paid.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="amount">In the smallest parts of the run's money.</param>
    /// <param name="options">The account.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What is in the pool now.</returns>
    /// <exception cref="InputException">The chain does not take it.</exception>
    public static async Task<ChainSum> FundAsync(RunDirectory directory, UInt128 amount, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await OpenAsync(directory, options, cancellation);
        var run = ChainAudit.RunOf(directory);
        await line.SendWithMoneyAsync(await line.AccountsAsync(run, cancellation), CairnMoney.Fund(run, amount), amount, cancellation);
        var accounts = await line.AccountsAsync(run, cancellation);
        return new ChainSum(accounts.Pool, accounts.Money);
    }

    /// <summary>Signs the settlement of what the chain holds now, or up to a block on which others have signed; posts it once two thirds of the voices have.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="upToBlock">The block that the others have signed for; null for the newest final one.</param>
    /// <param name="signatures">Theirs.</param>
    /// <param name="options">The account: a validator's with a voice.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">A signature is none, the window of the last settlement is open, or the chain does not take it.</exception>
    public static async Task<SettleOutcome> SettleAsync(
        RunDirectory directory, ulong? upToBlock, IReadOnlyList<string> signatures, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await OpenAsync(directory, options, cancellation);
        var run = ChainAudit.RunOf(directory);
        var history = await line.HistoryAsync(run, upToBlock, cancellation);
        var accounts = await line.AccountsAsync(run, cancellation);
        var settlement = new ChainSettlement(
            accounts.Epoch + 1, history.Payouts().Root, history.End, history.Replay.State.LatestCheckpoint?.Digest ?? Digest.Zero);
        var digest = CairnMoney.SettleDigest(line.Chain.ChainId, line.ContractAddress, run, settlement);
        var signed = new Dictionary<EvmAddress, EvmSignature> { [line.Account] = line.Sign(digest) };
        foreach (var text in signatures)
        {
            var (author, signature) = ReadSignature(text, digest);
            signed[author] = signature;
        }

        UInt128 units = 0;
        foreach (var author in signed.Keys)
        {
            var holding = await line.HoldingAsync(run, author, cancellation);
            units += holding.LeftBlock == 0 && holding.Bond >= (UInt128)holding.Units * accounts.WeiPerUnit ? holding.Units : 0u;
        }

        var texts = signed.Select(entry => $"{entry.Key}:{Convert.ToHexStringLower(entry.Value.ToBytes())}").ToList();
        if (3 * units < 2 * accounts.Voices)
        {
            return new SettleOutcome(settlement, texts, 0);
        }

        var receipt = await line.SendAsync(CairnMoney.Settle(run, settlement, signed.Select(entry => (entry.Key, entry.Value))), 0, cancellation);
        return new SettleOutcome(settlement, texts, receipt.Block);
    }

    /// <summary>Claims what the account has earned by the last settlement whose window has passed, and takes it.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="options">The account.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">Nothing is settled yet, there is nothing to claim, or what was settled is not what the ledger says.</exception>
    public static async Task<ClaimOutcome> ClaimAsync(RunDirectory directory, ChainOptions options, CancellationToken cancellation)
    {
        using var line = await OpenAsync(directory, options, cancellation);
        var run = ChainAudit.RunOf(directory);
        var (accounts, tree) = await SettledAsync(line, run, cancellation);
        var payout = tree.Payouts.FirstOrDefault(one => one.Account == line.Account, new Payout(line.Account, 0, 0));
        var holding = await ClaimAsync(line, run, tree, payout, cancellation);
        if (holding.Credit > 0)
        {
            await line.SendAsync(CairnMoney.Withdraw(run), 0, cancellation);
        }

        return new ClaimOutcome(line.Account.ToString(), payout.Earned, payout.Cut, holding.Credit, payout.Earned - holding.Earned, accounts.Money);
    }

    /// <summary>Claims for others: their bonds are cut by what they have lost, and they are credited what they have earned. Anybody may do it for anybody, or
    /// who has lost more than he has earned would never be cut.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="whom">Accounts; none for all of whom something is outstanding.</param>
    /// <param name="options">The account that pays the gas.</param>
    /// <param name="tell">Called after each.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>How many were claimed for.</returns>
    /// <exception cref="InputException">Nothing is settled yet, an account has no part in it, or what was settled is not what the ledger says.</exception>
    public static async Task<int> ClaimForAsync(
        RunDirectory directory, IReadOnlyList<string> whom, ChainOptions options, Action<ClaimOutcome> tell, CancellationToken cancellation)
    {
        using var line = await OpenAsync(directory, options, cancellation);
        var run = ChainAudit.RunOf(directory);
        var (accounts, tree) = await SettledAsync(line, run, cancellation);
        var wanted = whom.Select(text => EvmAddress.TryParse(text, out var account) && tree.Payouts.Any(one => one.Account == account) ? account
            : throw new InputException($"'{text}' is no account that has earned or lost anything by the last settlement.")).ToHashSet();
        var claimed = 0;
        foreach (var payout in tree.Payouts.Where(one => wanted.Count == 0 || wanted.Contains(one.Account)))
        {
            var before = await line.HoldingAsync(run, payout.Account, cancellation);
            var after = await ClaimAsync(line, run, tree, payout, cancellation);
            if (after.Earned != before.Earned || after.Cut != before.Cut)
            {
                claimed++;
                tell(new ClaimOutcome(payout.Account.ToString(), payout.Earned, payout.Cut, 0, payout.Earned - after.Earned, accounts.Money));
            }
        }

        return claimed;
    }

    // The payouts of the last settlement whose window has passed, computed again from what the chain holds.
    private static async Task<(ChainAccounts Accounts, PayoutTree Tree)> SettledAsync(ChainLine line, Digest run, CancellationToken cancellation)
    {
        var accounts = await line.AccountsAsync(run, cancellation);
        var passed = accounts.PendingBlock > 0 && await line.HeightAsync(cancellation) >= accounts.PendingBlock + accounts.DisputeBlocks;
        var root = passed ? accounts.PendingRoot : accounts.Root;
        var settled = (await line.HistoryAsync(run, null, cancellation)).Settlements.LastOrDefault(settlement => settlement.Root == root);
        if (root.IsZero || settled.Epoch == 0)
        {
            throw new InputException(
                accounts.PendingBlock > 0
                ? $"the settlement can be objected to up to block {accounts.PendingBlock + accounts.DisputeBlocks}: claim after that."
                : "nothing is settled yet: a validator does that with cairn chain settle.");
        }

        var tree = (await line.HistoryAsync(run, settled.UpToBlock, cancellation)).Payouts();
        return tree.Root == root ? (accounts, tree) : throw new InputException(
            $"settlement {settled.Epoch} is not what the ledger says (root {root.Short}, computed again {tree.Root.Short}): " +
            "its validators have signed something else.");
    }

    private static async Task<ChainHolding> ClaimAsync(ChainLine line, Digest run, PayoutTree tree, Payout payout, CancellationToken cancellation)
    {
        var holding = await line.HoldingAsync(run, payout.Account, cancellation);
        var pays = payout.Earned > holding.Earned && (await line.AccountsAsync(run, cancellation)).Pool > 0;
        if (!pays && payout.Cut <= holding.Cut)
        {
            return holding;
        }

        await line.SendAsync(CairnMoney.Claim(run, payout, tree.Prove(payout)), 0, cancellation);
        return await line.HoldingAsync(run, payout.Account, cancellation);
    }

    private static Task<ChainLine> OpenAsync(RunDirectory directory, ChainOptions options, CancellationToken cancellation) =>
        directory.HoldsRun && directory.Places.Chain is { } known ? ChainLine.OpenAsync(options, known, cancellation)
            : throw new InputException($"{directory.Root} holds no run whose ledger is on a chain: correct --dir.");

    private static (EvmAddress Author, EvmSignature Signature) ReadSignature(string text, Digest digest)
    {
        var parts = text.Split(':');
        var bytes = new byte[EvmSignature.Size];
        var whole = parts.Length == 2 && parts[1].Length == 2 * bytes.Length
            && Convert.FromHexString(parts[1], bytes, out _, out _) == System.Buffers.OperationStatus.Done;
        return whole && EvmAddress.TryParse(parts[0], out var claimed) && EvmSignature.TryRead(bytes, out var signature) &&
            signature!.TryRecover(digest, out var author) && author == claimed
            ? (author, signature) : throw new InputException($"'{text}' is no signature of this settlement: sign with the same --up-to, on the same ledger.");
    }
}
