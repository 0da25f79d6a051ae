using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Cairn.Base;

namespace Cairn.Ledger.Evm.Tests;

/// <summary>A chain in memory with one run on it, and as many nodes as a test asks for, each of which may say something else. It knows no more of an EVM than that a
/// call of post(bytes32,bytes) says its operation; a transaction that it takes stands in a block of its own at once.</summary>
internal sealed class ScriptedChain(Digest run) : IDisposable
{
    public const ulong ChainId = 5;
    private const string Gwei = "3b9aca00";
    private static readonly Digest Posted = Keccak.Hash(Encoding.ASCII.GetBytes("Posted(bytes32,uint40,bytes)"));
    private readonly Lock _gate = new();
    private readonly List<ScriptedNode> _nodes = [];
    private readonly List<Digest> _blocks = [Digest.Of("block", [0]), Digest.Of("block", [1])];
    private readonly List<(ulong Block, byte[] Data)> _logs = [];
    private readonly Dictionary<Digest, (ulong Block, bool Succeeded)> _receipts = [];
    private readonly List<EventRecord> _records = [default, default];

    public EvmAddress Contract { get; } = EvmAddress.TryParse("0x" + new string('c', 40), out var address) ? address : throw new InvalidOperationException();

    /// <summary>Transactions that stand, in order.</summary>
    public List<SentTransaction> Taken { get; } = [];

    /// <summary>Whether what is taken fails in its block.</summary>
    public bool Fails { get; set; }

    public ScriptedNode AddNode(Func<string, JsonArray, Func<JsonNode?>, JsonNode?>? say = null)
    {
        _nodes.Add(new ScriptedNode(this) { Say = say ?? ((_, _, honest) => honest()) });
        return _nodes[^1];
    }

    public IEnumerable<string> Addresses => _nodes.Select(node => node.Address);

    public ChainEndpoints Endpoints() => new([.. Addresses]);

    public void Mine()
    {
        lock (_gate)
        {
            Grow();
        }
    }

    /// <summary>Takes the newest blocks back, and what stood in them; as many others are there at once.</summary>
    public void TakeBack(int blocks)
    {
        lock (_gate)
        {
            var kept = _blocks.Count - blocks;
            _blocks.RemoveRange(kept, blocks);
            _records.RemoveRange(kept, blocks);
            _logs.RemoveAll(log => log.Block >= (ulong)kept);
            foreach (var hash in _receipts.Where(receipt => receipt.Value.Block >= (ulong)kept).Select(receipt => receipt.Key).ToArray())
            {
                _receipts.Remove(hash);
                Taken.RemoveAt(Taken.Count - 1);
            }

            for (var i = 0; i < blocks; i++)
            {
                Grow();
            }
        }
    }

    public JsonNode? Answer(string method, JsonArray asked)
    {
        lock (_gate)
        {
            return method switch
            {
                "eth_chainId" => Hex(ChainId),
                "eth_blockNumber" => Hex((ulong)_blocks.Count - 1),
                "eth_getBlockByNumber" => BlockOf((string)asked[0]!),
                "eth_getLogs" => new JsonArray([.. _logs.Index().Where(log => Number(asked[0]!["fromBlock"]!) <= log.Item.Block && log.Item.Block <= Number(asked[0]!["toBlock"]!)).Select(log => LogOf(log.Index))]),
                "eth_call" => Hex(RunAt((string)asked[1]! is "latest" ? _records.Count - 1 : (int)Number(asked[1]!))),
                "eth_estimateGas" => "0x186a0",
                "eth_maxPriorityFeePerGas" => "0x" + Gwei,
                "eth_getTransactionCount" => Hex((ulong)Taken.Count),
                "eth_sendRawTransaction" => Take(Bytes(asked[0]!)),
                "eth_getTransactionReceipt" => ReceiptOf((string)asked[0]!),
                _ => throw new ScriptedRefusal("the method does not exist"),
            };
        }
    }

    public static JsonNode Hex(ulong number) => $"0x{number:x}";

    public static JsonNode Hex(byte[] bytes) => "0x" + Convert.ToHexStringLower(bytes);

    public static byte[] Bytes(JsonNode text) => Convert.FromHexString(((string)text!)[2..]);

    public static JsonNode HashOf(JsonNode transaction) => "0x" + Keccak.Hash(Bytes(transaction));

    /// <summary>A receipt that no chain has given.</summary>
    public static JsonNode Receipt(string transaction, bool succeeded, ulong block = 1) => new JsonObject
    {
        ["transactionHash"] = transaction,
        ["blockNumber"] = Hex(block),
        ["blockHash"] = "0x" + Digest.Of("forged", []),
        ["status"] = succeeded ? "0x1" : "0x0",
        ["gasUsed"] = "0x5208",
    };

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    private static ulong Number(JsonNode text) => Convert.ToUInt64(((string)text!)[2..], 16);

    private void Grow()
    {
        _blocks.Add(Digest.Of("block", Guid.NewGuid().ToByteArray()));
        _records.Add(_records[^1]);
    }

    private JsonNode Take(byte[] bytes)
    {
        var (hash, sent) = (Keccak.Hash(bytes), SentTransaction.Read(bytes));
        if (_receipts.ContainsKey(hash) || sent.Nonce != (ulong)Taken.Count)
        {
            throw new ScriptedRefusal(sent.Nonce < (ulong)Taken.Count ? "nonce too low" : "nonce too high");
        }

        Grow();
        Taken.Add(sent);
        _receipts.Add(hash, ((ulong)_blocks.Count - 1, !Fails));
        if (!Fails && sent.Operation is { } operation)
        {
            _logs.Add(((ulong)_blocks.Count - 1, new AbiWriter().Number((UInt128)_logs.Count).Bytes(operation).ToArray()));
            var log = new ChainLog((ulong)_blocks.Count - 1, _blocks[^1], 0, [Posted, run], _logs[^1].Data);
            _records[^1] = _records[^1].After([log]);
        }

        return "0x" + hash;
    }

    private JsonObject? BlockOf(string which)
    {
        var at = which is "latest" ? _blocks.Count - 1 : (int)Number(which);
        return at >= _blocks.Count ? null : new JsonObject
        {
            ["number"] = Hex((ulong)at),
            ["hash"] = "0x" + _blocks[at],
            ["parentHash"] = "0x" + (at > 0 ? _blocks[at - 1] : Digest.Zero),
            ["baseFeePerGas"] = "0x" + Gwei,
        };
    }

    private JsonObject LogOf(int at) => new()
    {
        ["address"] = "0x" + Convert.ToHexStringLower(Contract.Bytes),
        ["topics"] = new JsonArray("0x" + Posted, "0x" + run),
        ["data"] = Hex(_logs[at].Data),
        ["blockNumber"] = Hex(_logs[at].Block),
        ["blockHash"] = "0x" + _blocks[(int)_logs[at].Block],
        ["logIndex"] = "0x0",
    };

    private byte[] RunAt(int block) => new AbiWriter().Number(1).Number(_records[block].Said).Word(_records[block].Chained).ToArray();

    private JsonNode? ReceiptOf(string transaction)
    {
        if (!_receipts.TryGetValue(new Digest(Convert.FromHexString(transaction[2..])), out var found))
        {
            return null;
        }

        var receipt = Receipt(transaction, found.Succeeded, found.Block);
        receipt["blockHash"] = "0x" + _blocks[(int)found.Block];
        return receipt;
    }
}

/// <summary>What a scripted node says where it refuses.</summary>
internal sealed class ScriptedRefusal(string message) : Exception(message);

/// <summary>A transaction as a chain reads it.</summary>
internal sealed record SentTransaction(ulong Nonce, UInt128 Tip, UInt128 Fee, ulong Gas, byte[] Data)
{
    /// <summary>The operation of a call of post(bytes32,bytes), or null.</summary>
    public byte[]? Operation
    {
        get
        {
            if (!Data.AsSpan().StartsWith(AbiWriter.Selector("post(bytes32,bytes)")))
            {
                return null;
            }

            var reader = new AbiReader(Data.AsSpan(4));
            _ = reader.Word();
            return reader.Bytes(CairnContract.OperationBytesMax).ToArray();
        }
    }

    public static SentTransaction Read(byte[] bytes)
    {
        var rest = bytes.AsSpan(1);
        Next(ref rest, out var length);
        rest = rest[..length];
        var fields = new List<byte[]>();
        while (rest.Length > 0)
        {
            Next(ref rest, out length);
            fields.Add(rest[..length].ToArray());
            rest = rest[length..];
        }

        return new SentTransaction((ulong)Number(fields[1]), Number(fields[2]), Number(fields[3]), (ulong)Number(fields[4]), fields[7]);
    }

    private static UInt128 Number(byte[] bytes) => bytes.Aggregate(UInt128.Zero, (value, next) => (value << 8) | next);

    // Goes behind the head of an item of RLP.
    private static void Next(ref Span<byte> rest, out int length)
    {
        int head = rest[0];
        if (head < 0x80)
        {
            length = 1;
            return;
        }

        var isLong = head is > 0xb7 and < 0xc0 or > 0xf7;
        var sized = isLong ? head - (head > 0xf7 ? 0xf7 : 0xb7) : 0;
        length = isLong ? (int)Number(rest[1..(1 + sized)].ToArray()) : head - (head >= 0xc0 ? 0xc0 : 0x80);
        rest = rest[(1 + sized)..];
    }
}

/// <summary>A node of a scripted chain, over HTTP.</summary>
internal sealed class ScriptedNode : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ScriptedChain _chain;

    public ScriptedNode(ScriptedChain chain)
    {
        _chain = chain;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        }

        _listener.Prefixes.Add(Address);
        _listener.Start();
        _ = ServeAsync();
    }

    public string Address { get; }

    /// <summary>What it says, from the method, the parameters and what would be honest.</summary>
    public required Func<string, JsonArray, Func<JsonNode?>, JsonNode?> Say { get; set; }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = AnswerAsync(context);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or InvalidOperationException)
            {
                // Closed.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        try
        {
            using var reader = new StreamReader(context.Request.InputStream);
            var question = JsonNode.Parse(await reader.ReadToEndAsync())!;
            var answer = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = question["id"]!.DeepClone() };
            var (method, asked) = ((string)question["method"]!, question["params"]!.AsArray());
            try
            {
                answer["result"] = Say(method, asked, () => _chain.Answer(method, asked));
            }
            catch (ScriptedRefusal refusal)
            {
                answer["error"] = new JsonObject { ["code"] = -32000, ["message"] = refusal.Message };
            }

            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer.ToJsonString()));
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException or InvalidOperationException)
        {
            // Closed, or the client has heard enough.
        }
    }
}
