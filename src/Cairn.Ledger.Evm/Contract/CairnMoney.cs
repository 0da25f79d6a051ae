using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>What a run holds on the chain, in wei: the smallest parts of the chain's coin, or of the token that its money is.</summary>
/// <param name="WeiPerUnit">What a unit of the ledger's money is.</param>
/// <param name="DisputeBlocks">How long a settlement can be objected to.</param>
/// <param name="Epoch">Settlements so far.</param>
/// <param name="PendingBlock">Block of the settlement that can still be objected to; 0 for none.</param>
/// <param name="Voices">Units of all named validators.</param>
/// <param name="Bonds">Held for members.</param>
/// <param name="Pool">Held for rewards.</param>
/// <param name="Credits">Earned and not yet withdrawn.</param>
/// <param name="Burned">Cut off bonds.</param>
/// <param name="Root">Of the settlement that is paid by.</param>
/// <param name="PendingRoot">Of the one that can still be objected to.</param>
/// <param name="Token">The ERC-20 that its money is; zero for the chain's coin.</param>
public sealed record ChainAccounts(
    ulong WeiPerUnit, ulong DisputeBlocks, ulong Epoch, ulong PendingBlock, UInt128 Voices, UInt128 Bonds, UInt128 Pool, UInt128 Credits, UInt128 Burned,
    Digest Root, Digest PendingRoot, EvmAddress Token)
{
    /// <summary>All of it.</summary>
    public UInt128 Held => Bonds + Pool + Credits + Burned;

    /// <summary>What its money is, in words.</summary>
    public string Money => Token == default ? "wei" : $"parts of token {Token}";
}

/// <summary>What an account holds in a run, in wei.</summary>
/// <param name="Bond">At stake.</param>
/// <param name="Credit">To be withdrawn.</param>
/// <param name="Earned">Credited since the run began.</param>
/// <param name="Cut">Cut since the run began.</param>
/// <param name="LeftBlock">When it left; 0 while it is there.</param>
/// <param name="Units">Its voice.</param>
public sealed record ChainHolding(UInt128 Bond, UInt128 Credit, UInt128 Earned, UInt128 Cut, ulong LeftBlock, ulong Units);

/// <summary>The calls of contracts/CairnRuns.sol that move money, and what is signed for them.</summary>
public static class CairnMoney
{
    private static readonly Digest Settled = Keccak.Hash("Settled(bytes32,uint64,uint40,bytes32,uint64,bytes32)"u8);

    /// <summary>Binds the sender to a node key, and adds to its bond.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="account">The sender.</param>
    /// <param name="key">The node's.</param>
    /// <param name="amount">What is added: sent along, or of a token allowed before (<see cref="Erc20.Approve"/>).</param>
    public static byte[] Register(Digest run, EvmAddress account, NodeKey key, UInt128 amount) => new AbiWriter()
        .Word(run).Number(amount).Bytes(key.Public.Bytes).Bytes(key.Sign(AccountBook.ProofDigest(run, account))).Call("register(bytes32,uint256,bytes,bytes)");

    /// <summary>Leaves; the bond is free after the delay.</summary>
    /// <param name="run">Which run.</param>
    public static byte[] Exit(Digest run) => new AbiWriter().Word(run).Call("exit(bytes32)");

    /// <summary>Takes the bond back.</summary>
    /// <param name="run">Which run.</param>
    public static byte[] TakeBond(Digest run) => new AbiWriter().Word(run).Call("takeBond(bytes32)");

    /// <summary>Adds to the reward pool.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="amount">What is added: sent along, or of a token allowed before.</param>
    public static byte[] Fund(Digest run, UInt128 amount) => new AbiWriter().Word(run).Number(amount).Call("fund(bytes32,uint256)");

    /// <summary>Pays the sender what it was credited.</summary>
    /// <param name="run">Which run.</param>
    public static byte[] Withdraw(Digest run) => new AbiWriter().Word(run).Call("withdraw(bytes32)");

    /// <summary>What two thirds of the voices sign to settle.</summary>
    /// <param name="chainId">The chain.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Which run.</param>
    /// <param name="settlement">What is settled.</param>
    public static Digest SettleDigest(ulong chainId, EvmAddress contract, Digest run, ChainSettlement settlement) => Keccak.Hash(
        Domain("cairn/settle", chainId, contract, run).Number(settlement.Epoch).Word(settlement.Root).Number(settlement.UpToBlock).Word(settlement.Checkpoint).ToArray());

    /// <summary>Settles.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="settlement">What is settled.</param>
    /// <param name="signatures">Over <see cref="SettleDigest"/>, of different accounts.</param>
    public static byte[] Settle(Digest run, ChainSettlement settlement, IEnumerable<(EvmAddress Author, EvmSignature Signature)> signatures) =>
        new AbiWriter().Word(run).Number(settlement.Epoch).Word(settlement.Root).Number(settlement.UpToBlock).Word(settlement.Checkpoint).Bytes(Joined(signatures))
            .Call("settle(bytes32,uint64,bytes32,uint64,bytes32,bytes)");

    /// <summary>What more than a third of the voices sign to take a settlement back.</summary>
    /// <param name="chainId">The chain.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Which run.</param>
    /// <param name="epoch">Which settlement.</param>
    /// <param name="root">Its root.</param>
    public static Digest ObjectDigest(ulong chainId, EvmAddress contract, Digest run, ulong epoch, Digest root) =>
        Keccak.Hash(Domain("cairn/object", chainId, contract, run).Number(epoch).Word(root).ToArray());

    /// <summary>Takes a settlement back.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="epoch">Which settlement.</param>
    /// <param name="signatures">Over <see cref="ObjectDigest"/>.</param>
    public static byte[] ObjectTo(Digest run, ulong epoch, IEnumerable<(EvmAddress Author, EvmSignature Signature)> signatures) =>
        new AbiWriter().Word(run).Number(epoch).Bytes(Joined(signatures)).Call("objectTo(bytes32,uint64,bytes)");

    /// <summary>What two thirds of the voices sign to stop payments.</summary>
    /// <param name="chainId">The chain.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Which run.</param>
    /// <param name="untilBlock">Up to which block.</param>
    public static Digest PauseDigest(ulong chainId, EvmAddress contract, Digest run, ulong untilBlock) =>
        Keccak.Hash(Domain("cairn/pause", chainId, contract, run).Number(untilBlock).ToArray());

    /// <summary>Stops payments.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="untilBlock">Up to which block.</param>
    /// <param name="signatures">Over <see cref="PauseDigest"/>.</param>
    public static byte[] Pause(Digest run, ulong untilBlock, IEnumerable<(EvmAddress Author, EvmSignature Signature)> signatures) =>
        new AbiWriter().Word(run).Number(untilBlock).Bytes(Joined(signatures)).Call("pause(bytes32,uint64,bytes)");

    /// <summary>Credits an account, and cuts its bond, by the root.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="payout">What the root says of the account.</param>
    /// <param name="proof">From <see cref="PayoutTree.Prove"/>.</param>
    public static byte[] Claim(Digest run, Payout payout, IReadOnlyList<Digest> proof) =>
        new AbiWriter().Word(run).Address(payout.Account).Number(payout.Earned).Number(payout.Cut).Words(proof).Call("claim(bytes32,address,uint128,uint128,bytes32[])");

    /// <summary>Reads the event of a settlement.</summary>
    /// <param name="log">Any event.</param>
    /// <param name="settlement">What was settled.</param>
    public static bool TryReadSettled(ChainLog log, out ChainSettlement settlement)
    {
        settlement = default;
        if (log.Topics.Count != 3 || log.Topics[0] != Settled)
        {
            return false;
        }

        var reader = new AbiReader(log.Data);
        _ = reader.UInt64();
        var epoch = new AbiReader(log.Topics[2].ToArray());
        settlement = new ChainSettlement(epoch.UInt64(), reader.Word(), reader.UInt64(), reader.Word());
        return reader.Ok && epoch.Ok;
    }

    /// <summary>Asks what an account holds.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="account">Whose.</param>
    public static byte[] HoldingQuestion(Digest run, EvmAddress account) => new AbiWriter().Word(run).Address(account).Call("members(bytes32,address)");

    /// <summary>Reads the answer to <see cref="HoldingQuestion"/>; null if it is none.</summary>
    /// <param name="answer">What the contract says.</param>
    public static ChainHolding? ReadHolding(byte[] answer)
    {
        var reader = new AbiReader(answer);
        var holding = new ChainHolding(reader.Number(), reader.Number(), reader.Number(), reader.Number(), reader.UInt64(), reader.UInt64());
        return reader.Ok ? holding : null;
    }

    /// <summary>Reads the answer to <see cref="CairnContract.RunQuestion"/>; null if it is none.</summary>
    /// <param name="answer">What the contract says.</param>
    public static ChainAccounts? ReadAccounts(byte[] answer)
    {
        var reader = new AbiReader(answer);
        _ = (reader.UInt64(), reader.UInt64(), reader.Word());
        var (wei, dispute) = (reader.UInt64(), reader.UInt64());
        _ = reader.UInt64();
        var epoch = reader.UInt64();
        _ = reader.UInt64();
        var accounts = new ChainAccounts(
            wei, dispute, epoch, reader.UInt64(), reader.Number(), reader.Number(), reader.Number(), reader.Number(), reader.Number(), reader.Word(), reader.Word(),
            reader.Address());
        return reader.Ok ? accounts : null;
    }

    private static AbiWriter Domain(string tag, ulong chainId, EvmAddress contract, Digest run) =>
        new AbiWriter().Word(Keccak.Hash(System.Text.Encoding.ASCII.GetBytes(tag))).Number(chainId).Address(contract).Word(run);

    // By rising address: so the contract sees at once that no author is counted twice.
    private static byte[] Joined(IEnumerable<(EvmAddress Author, EvmSignature Signature)> signatures) =>
        [.. signatures.OrderBy(signed => Convert.ToHexStringLower(signed.Author.Bytes), StringComparer.Ordinal).SelectMany(signed => signed.Signature.ToBytes())];
}

/// <summary>What validators sign at a settlement on the chain.</summary>
/// <param name="Epoch">One more than the settlement before.</param>
/// <param name="Root">Of the <see cref="PayoutTree"/>.</param>
/// <param name="UpToBlock">It pays by what the contract holds up to the end of that block.</param>
/// <param name="Checkpoint">Digest of the newest checkpoint there; zero for none.</param>
public readonly record struct ChainSettlement(ulong Epoch, Digest Root, ulong UpToBlock, Digest Checkpoint);
