using System.Text.Json;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A block of a chain, as far as it is needed here.</summary>
/// <param name="Number">Its height.</param>
/// <param name="Hash">Names it and all before it.</param>
/// <param name="Parent">Hash of the block before.</param>
/// <param name="FeePerGas">What every transaction in it burns, in wei per unit of gas; 0 on chains without.</param>
public readonly record struct ChainBlock(ulong Number, Digest Hash, Digest Parent, UInt128 FeePerGas);

/// <summary>Something that a contract said, at its place in the chain's order.</summary>
/// <param name="Block">Height.</param>
/// <param name="BlockHash">Of which block of that height.</param>
/// <param name="Index">Place in the block.</param>
/// <param name="Topics">The event's name and what it is found by; 1 to 4.</param>
/// <param name="Data">The rest, in the ABI.</param>
public sealed record ChainLog(ulong Block, Digest BlockHash, ulong Index, IReadOnlyList<Digest> Topics, byte[] Data);

/// <summary>What became of a transaction.</summary>
/// <param name="Block">In which block it stands.</param>
/// <param name="BlockHash">Which block of that height.</param>
/// <param name="Succeeded">False if it failed there and changed nothing.</param>
/// <param name="GasUsed">What it took.</param>
/// <param name="Contract">The contract that it made, or null.</param>
public sealed record ChainReceipt(ulong Block, Digest BlockHash, bool Succeeded, ulong GasUsed, EvmAddress? Contract);

/// <summary>What is asked of a chain, as typed questions. Every answer is bounded and checked for its form.</summary>
public sealed class ChainClient
{
    private const int LogDataMax = 256 << 10;
    private const int LogsMax = 100_000;
    private const ulong GasMax = 100_000_000;
    private static readonly TimeSpan OthersMax = TimeSpan.FromSeconds(3);

    // As the nodes that are in use say it.
    private static readonly string[] HasItAlready = ["already known", "alreadyknown", "already imported", "known transaction"];
    private readonly ChainEndpoints _endpoints;
    private readonly int? _only;

    /// <summary>Asks through these nodes: the one that answered last, else the next.</summary>
    /// <param name="endpoints">The nodes; the caller disposes them.</param>
    public ChainClient(ChainEndpoints endpoints) => _endpoints = endpoints;

    private ChainClient(ChainEndpoints endpoints, int only) => (_endpoints, _only) = (endpoints, only);

    /// <summary>The nodes.</summary>
    public ChainEndpoints Endpoints => _endpoints;

    /// <summary>Asks one of the nodes alone, so that answers belong together.</summary>
    /// <param name="node">Which, from 0 on.</param>
    public ChainClient At(int node) => new(_endpoints, node);

    /// <summary>Which chain this is.</summary>
    /// <param name="cancellation">Gives up.</param>
    public Task<ulong> ChainIdAsync(CancellationToken cancellation) => UInt64Async("eth_chainId", "[]", cancellation);

    /// <summary>Height of the newest block.</summary>
    /// <param name="cancellation">Gives up.</param>
    public Task<ulong> HeightAsync(CancellationToken cancellation) => UInt64Async("eth_blockNumber", "[]", cancellation);

    /// <summary>Transactions that an account has sent: the upper median of what the nodes say, since one that is behind knows fewer.</summary>
    /// <param name="account">Whose.</param>
    /// <param name="pending">True to count those that wait.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ulong> NonceAsync(EvmAddress account, bool pending, CancellationToken cancellation)
    {
        var asked = $"""["{Hex(account)}","{(pending ? "pending" : "latest")}"]""";
        var heard = await EachAsync((node, patience) => node.UInt64Async("eth_getTransactionCount", asked, patience), cancellation);
        return MediansOf(heard)?.Upper ?? throw Foremost(heard);
    }

    /// <summary>What an account holds, in wei.</summary>
    /// <param name="account">Whose.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<UInt128> BalanceAsync(EvmAddress account, CancellationToken cancellation)
    {
        using var answer = await AskAsync("eth_getBalance", $"""["{Hex(account)}","latest"]""", cancellation);
        return ChainJson.Number(answer.RootElement, "a balance");
    }

    /// <summary>A block, or null if there is none of that height.</summary>
    /// <param name="number">Its height; null for the newest.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ChainBlock?> BlockAsync(ulong? number, CancellationToken cancellation)
    {
        using var answer = await AskAsync(
            "eth_getBlockByNumber", $"""["{(number is { } height ? ChainJson.Of(height) : "latest")}",false]""", cancellation);
        var block = answer.RootElement;
        if (block.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var read = new ChainBlock(
            ChainJson.UInt64(ChainJson.Field(block, "number"), "a block's number"), ChainJson.Word(ChainJson.Field(block, "hash"), "a block's hash"),
            ChainJson.Word(ChainJson.Field(block, "parentHash"), "a block's parent"),
            block.TryGetProperty("baseFeePerGas", out var fee) && fee.ValueKind == JsonValueKind.String ? ChainJson.Number(fee, "a fee") : 0);
        return number is null || read.Number == number ? read : throw ChainJson.Bad("another block");
    }

    /// <summary>What every transaction burns at present, in wei per unit of gas, as all nodes say that answer.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The medians of it: of two in the middle the lower and the upper.</returns>
    /// <exception cref="ChainFaultException">No node answers.</exception>
    public async Task<(UInt128 Lower, UInt128 Upper)> BlockFeeAsync(CancellationToken cancellation)
    {
        var heard = await EachAsync(
            async (node, patience) => await node.BlockAsync(null, patience) is { } newest ? newest.FeePerGas : throw ChainJson.Bad("no newest block"), cancellation);
        return MediansOf(heard) ?? throw Foremost(heard);
    }

    /// <summary>What whoever includes transactions asks for at present, in wei per unit of gas: the lower median of what the nodes say, so that one alone cannot make it
    /// dear; 0 where nobody says.</summary>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ChainFaultException">No node answers.</exception>
    public async Task<UInt128> TipAsync(CancellationToken cancellation)
    {
        var heard = await EachAsync(
            async (node, patience) =>
            {
                using var answer = await node.AskAsync("eth_maxPriorityFeePerGas", "[]", patience);
                return ChainJson.Number(answer.RootElement, "a tip");
            },
            cancellation);
        return MediansOf(heard) is { } tips ? tips.Lower : heard.Any(one => one.Fault!.Kind == ChainFaultKind.Refused) ? UInt128.Zero : throw Foremost(heard);
    }

    /// <summary>What a transaction would take now: the upper median of what the nodes say, since too little is paid for in vain, and too much is not paid.</summary>
    /// <param name="from">Who would send it.</param>
    /// <param name="to">Whom it would call; null to create a contract.</param>
    /// <param name="data">The call.</param>
    /// <param name="value">What it would bring.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ChainFaultException">Refused, with the contract's reason, if it would fail as all say that answer.</exception>
    public async Task<ulong> EstimateGasAsync(EvmAddress from, EvmAddress? to, byte[] data, UInt128 value, CancellationToken cancellation)
    {
        var heard = await EachAsync(
            async (node, patience) => await node.UInt64Async("eth_estimateGas", $"[{Call(from, to, data, value)}]", patience) is <= GasMax and var gas ? gas
                : throw ChainJson.Bad("more gas than a block has"),
            cancellation);
        return MediansOf(heard)?.Upper ?? throw Foremost(heard);
    }

    /// <summary>Reads from a contract, as it is now.</summary>
    /// <param name="to">The contract.</param>
    /// <param name="data">The call.</param>
    /// <param name="bytesMax">The most that is taken.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<byte[]> ReadAsync(EvmAddress to, byte[] data, int bytesMax, CancellationToken cancellation) => ReadAsync(to, data, bytesMax, null, cancellation);

    /// <summary>Reads from a contract.</summary>
    /// <param name="to">The contract.</param>
    /// <param name="data">The call.</param>
    /// <param name="bytesMax">The most that is taken.</param>
    /// <param name="block">As it was after this block, which not every node knows of old ones; null for now.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<byte[]> ReadAsync(EvmAddress to, byte[] data, int bytesMax, ulong? block, CancellationToken cancellation)
    {
        using var answer = await AskAsync(
            "eth_call", $"""[{Call(null, to, data, 0)},"{(block is { } height ? ChainJson.Of(height) : "latest")}"]""", cancellation);
        return ChainJson.Bytes(answer.RootElement, bytesMax, "what a contract says");
    }

    /// <summary>Hands a signed transaction to the chain: to all nodes at once, so that none that drops it can keep it from the others. One that takes it is
    /// enough.</summary>
    /// <param name="transaction">Its bytes.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ChainFaultException">No node took it: why the chain refuses it, or else why it could not be handed over.</exception>
    public async Task SendAsync(byte[] transaction, CancellationToken cancellation)
    {
        var heard = await EachAsync(
            async (node, patience) =>
            {
                await node.OfferAsync(transaction, patience);
                return true;
            },
            cancellation);
        if (!heard.Any(one => one.Fault is null))
        {
            throw Foremost(heard);
        }
    }

    /// <summary>What became of a transaction, or null as long as it stands in no block.</summary>
    /// <param name="hash">Keccak of its bytes.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ChainReceipt?> ReceiptAsync(Digest hash, CancellationToken cancellation)
    {
        using var answer = await AskAsync("eth_getTransactionReceipt", $"""["0x{hash}"]""", cancellation);
        var receipt = answer.RootElement;
        if (receipt.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (ChainJson.Word(ChainJson.Field(receipt, "transactionHash"), "a receipt") != hash)
        {
            throw ChainJson.Bad("another receipt");
        }

        var made = receipt.TryGetProperty("contractAddress", out var there) && there.ValueKind == JsonValueKind.String;
        return new ChainReceipt(
            ChainJson.UInt64(ChainJson.Field(receipt, "blockNumber"), "a receipt's block"),
            ChainJson.Word(ChainJson.Field(receipt, "blockHash"), "a receipt's block"),
            ChainJson.UInt64(ChainJson.Field(receipt, "status"), "a receipt's status") == 1,
            ChainJson.UInt64(ChainJson.Field(receipt, "gasUsed"), "a receipt's gas"),
            made ? ChainJson.Address(there, "a contract") : null);
    }

    /// <summary>What became of a transaction, as all nodes say it together: that it stands may one alone say, that it failed more than half of those that
    /// answer.</summary>
    /// <param name="hash">Keccak of its bytes.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Null if they do not say so.</returns>
    /// <exception cref="ChainFaultException">No node answers.</exception>
    public async Task<ChainReceipt?> AgreedReceiptAsync(Digest hash, CancellationToken cancellation)
    {
        var heard = await EachAsync((node, patience) => node.ReceiptAsync(hash, patience), cancellation);
        ChainReceipt?[] receipts = [.. heard.Where(one => one.Fault is null).Select(one => one.Answer)];
        ChainReceipt?[] failed = [.. receipts.Where(receipt => receipt is { Succeeded: false })];
        return receipts.Length == 0 ? throw Foremost(heard)
            : receipts.FirstOrDefault(receipt => receipt is { Succeeded: true }) ?? (failed.Length * 2 > receipts.Length ? failed[0] : null);
    }

    /// <summary>What a contract said in some blocks about one thing, in the chain's order.</summary>
    /// <param name="contract">The contract.</param>
    /// <param name="topic">The value of the event's first field.</param>
    /// <param name="from">First block.</param>
    /// <param name="to">Last block.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<IReadOnlyList<ChainLog>> LogsAsync(EvmAddress contract, Digest topic, ulong from, ulong to, CancellationToken cancellation)
    {
        try
        {
            return await LogsInOneAsync(contract, topic, from, to, cancellation);
        }
        catch (ChainFaultException fault) when (fault.Kind != ChainFaultKind.Unreachable && from < to)
        {
            // More than a node gives at once, or than is read at once: anybody can make a piece of the history that large. In halves it can be had.
            var middle = from + ((to - from) / 2);
            return
            [
                .. await LogsAsync(contract, topic, from, middle, cancellation),
                .. await LogsAsync(contract, topic, middle + 1, to, cancellation),
            ];
        }
    }

    private async Task<IReadOnlyList<ChainLog>> LogsInOneAsync(EvmAddress contract, Digest topic, ulong from, ulong to, CancellationToken cancellation)
    {
        using var answer = await AskAsync(
            "eth_getLogs",
            $$"""[{"address":"{{Hex(contract)}}","topics":[null,"0x{{topic}}"],"fromBlock":"{{ChainJson.Of(from)}}","toBlock":"{{ChainJson.Of(to)}}"}]""", cancellation);
        if (answer.RootElement.ValueKind != JsonValueKind.Array || answer.RootElement.GetArrayLength() > LogsMax)
        {
            throw ChainJson.Bad("a list of events");
        }

        var logs = new List<ChainLog>();
        foreach (var element in answer.RootElement.EnumerateArray())
        {
            var log = ReadLog(element, contract);
            var ordered = logs.Count == 0 || (logs[^1].Block, logs[^1].Index).CompareTo((log.Block, log.Index)) < 0;
            if (!ordered || log.Block < from || log.Block > to || log.Topics.Count < 2 || log.Topics[1] != topic)
            {
                throw ChainJson.Bad("events that were not asked for, or out of order");
            }

            logs.Add(log);
        }

        return logs;
    }

    private static ChainLog ReadLog(JsonElement log, EvmAddress contract)
    {
        var topics = ChainJson.Field(log, "topics");
        var named = topics.ValueKind == JsonValueKind.Array && topics.GetArrayLength() is >= 1 and <= 4;
        if (!named || ChainJson.Address(ChainJson.Field(log, "address"), "an event") != contract)
        {
            throw ChainJson.Bad("an event");
        }

        return new ChainLog(
            ChainJson.UInt64(ChainJson.Field(log, "blockNumber"), "an event's block"),
            ChainJson.Word(ChainJson.Field(log, "blockHash"), "an event's block"),
            ChainJson.UInt64(ChainJson.Field(log, "logIndex"), "an event's place"),
            [.. topics.EnumerateArray().Select(topic => ChainJson.Word(topic, "an event's name"))],
            ChainJson.Bytes(ChainJson.Field(log, "data"), LogDataMax, "an event's data"));
    }

    private static string Call(EvmAddress? from, EvmAddress? to, byte[] data, UInt128 value)
    {
        var fields = new List<string> { $"\"data\":\"{ChainJson.Of(data)}\"" };
        fields.AddRange(from is { } sender ? [$"\"from\":\"{Hex(sender)}\""] : []);
        fields.AddRange(to is { } callee ? [$"\"to\":\"{Hex(callee)}\""] : []);
        fields.AddRange(value > 0 ? [$"\"value\":\"{ChainJson.Of(value)}\""] : []);
        return "{" + string.Join(',', fields) + "}";
    }

    private static string Hex(EvmAddress address) => ChainJson.Of(address.Bytes);

    private Task<JsonDocument> AskAsync(string method, string parameters, CancellationToken cancellation) =>
        _only is { } node ? _endpoints.AskAsync(node, method, parameters, cancellation) : _endpoints.AskAsync(method, parameters, cancellation);

    private async Task<ulong> UInt64Async(string method, string parameters, CancellationToken cancellation)
    {
        using var answer = await AskAsync(method, parameters, cancellation);
        return ChainJson.UInt64(answer.RootElement, method);
    }

    // One node alone. That it has the transaction already is as good as that it takes it.
    private async Task OfferAsync(byte[] transaction, CancellationToken cancellation)
    {
        try
        {
            using var answer = await AskAsync("eth_sendRawTransaction", $"""["{ChainJson.Of(transaction)}"]""", cancellation);
            if (ChainJson.Word(answer.RootElement, "a transaction's hash") != Keccak.Hash(transaction))
            {
                throw ChainJson.Bad("another transaction's hash");
            }
        }
        catch (ChainFaultException fault) when (
            fault.Kind == ChainFaultKind.Refused && HasItAlready.Any(words => fault.Message.Contains(words, StringComparison.OrdinalIgnoreCase)))
        {
            // It waits there.
        }
    }

    // What each node says: all are asked at once, or the one that is asked alone. Once one has answered, the others have little time left, and those that had not time
    // enough before have none: what they say meanwhile counts.
    private async Task<IReadOnlyList<Heard<T>>> EachAsync<T>(Func<ChainClient, CancellationToken, Task<T>> ask, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        int[] nodes = _only is { } only ? [only] : [.. Enumerable.Range(0, _endpoints.Count)];
        Task<Heard<T>>[] asked = [.. nodes.Select(node => At(node).HearAsync(ask, patience.Token))];
        Task<Heard<T>>[] awaited = [.. asked.Where((_, i) => !_endpoints.Rests(nodes[i]))];
        var answered = false;
        await foreach (var one in Task.WhenEach(asked))
        {
            if ((await one).Fault is null && !answered)
            {
                answered = true;
                patience.CancelAfter(OthersMax);
            }

            if (answered && awaited.All(task => task.IsCompleted))
            {
                await patience.CancelAsync();
            }
        }

        cancellation.ThrowIfCancellationRequested();
        return await Task.WhenAll(asked);
    }

    private async Task<Heard<T>> HearAsync<T>(Func<ChainClient, CancellationToken, Task<T>> ask, CancellationToken patience)
    {
        try
        {
            var answer = await ask(this, patience);
            _endpoints.Wake(_only!.Value);
            return new Heard<T>(answer, null);
        }
        catch (ChainFaultException fault)
        {
            return new Heard<T>(default, fault);
        }
        catch (OperationCanceledException)
        {
            // Or whoever asked has given up, and is told so.
            _endpoints.Rest(_only!.Value);
            return new Heard<T>(default, new ChainFaultException(ChainFaultKind.Unreachable, $"the node of the chain at {_endpoints.NameOf(_only.Value)} took too long"));
        }
    }

    // Null if nobody answered.
    private static (T Lower, T Upper)? MediansOf<T>(IReadOnlyList<Heard<T>> heard)
        where T : struct
    {
        T[] said = [.. heard.Where(one => one.Fault is null).Select(one => one.Answer).Order()];
        return said.Length == 0 ? null : (said[(said.Length - 1) / 2], said[said.Length / 2]);
    }

    // Of many failures the one to tell: what the chain refuses comes before what ails a node.
    private static ChainFaultException Foremost<T>(IReadOnlyList<Heard<T>> heard) =>
        heard.Select(one => one.Fault!)
            .OrderByDescending(fault => (fault.Kind == ChainFaultKind.Refused, fault.Reason.Length > 0, fault.Kind == ChainFaultKind.BadAnswer)).First();

    // What one node said, or why it said nothing.
    private readonly record struct Heard<T>(T? Answer, ChainFaultException? Fault);
}
