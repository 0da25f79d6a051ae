using System.Text;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A validator with a part in the quorum for money.</summary>
/// <param name="Account">Its account.</param>
/// <param name="Units">Its part: the bond that the ledger knows.</param>
public readonly record struct ChainVoice(EvmAddress Account, ulong Units);

/// <summary>The terms of a run on a chain that are not in its genesis.</summary>
/// <param name="WeiPerUnit">What a unit of the ledger's money is, in the smallest parts of coin or token.</param>
/// <param name="DisputeBlocks">How long a settlement can be objected to.</param>
/// <param name="ExitBlocks">How long the bond of who leaves can still be cut; more than <paramref name="DisputeBlocks"/>.</param>
/// <param name="Token">The ERC-20 that bonds and rewards are in; zero for the chain's coin.</param>
public readonly record struct ChainTerms(ulong WeiPerUnit, uint DisputeBlocks, uint ExitBlocks, EvmAddress Token = default);

/// <summary>The contract contracts/CairnRuns.sol as calls and events: what to send it, and how to read what it said.</summary>
public static class CairnContract
{
    /// <summary>The most bytes of a genesis that the contract takes.</summary>
    public const int GenesisBytesMax = 65_536;

    /// <summary>The most bytes of an operation that the contract takes.</summary>
    public const int OperationBytesMax = 100_000;

    private static readonly Lazy<byte[]> Code = new(ReadCode);
    private static readonly Digest Posted = Event("Posted(bytes32,uint40,bytes)");
    private static readonly Digest RunCreated = Event("RunCreated(bytes32,address,uint40,uint64,uint32,uint32,address,bytes)");

    /// <summary>What creates the contract: the compiled bytes of contracts/build/CairnRuns.json.</summary>
    public static byte[] DeployCode() => [.. Code.Value];

    /// <summary>Begins a run.</summary>
    /// <param name="genesis">What it begins with.</param>
    /// <param name="terms">Of the chain.</param>
    /// <param name="voices">Validators with a part in the quorum for money.</param>
    public static byte[] CreateRun(Genesis genesis, ChainTerms terms, IReadOnlyList<ChainVoice> voices)
    {
        var list = new AbiWriter();
        foreach (var voice in voices)
        {
            list.Address(voice.Account).Number(voice.Units);
        }

        return new AbiWriter().Bytes(genesis.ToBytes()).Number(terms.WeiPerUnit).Number(terms.DisputeBlocks).Number(terms.ExitBlocks)
            .Address(terms.Token).List(voices.Count, list).Call("createRun(bytes,uint64,uint32,uint32,address,(address,uint64)[])");
    }

    /// <summary>Puts an operation in order.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="operation">Of any author.</param>
    public static byte[] Post(Digest run, SignedOperation operation) => new AbiWriter().Word(run).Bytes(operation.ToBytes()).Call("post(bytes32,bytes)");

    /// <summary>Puts operations of many authors in order.</summary>
    /// <param name="run">Which run.</param>
    /// <param name="operations">In this order.</param>
    public static byte[] PostBatch(Digest run, IReadOnlyList<SignedOperation> operations) =>
        new AbiWriter().Word(run).Strings([.. operations.Select(operation => operation.ToBytes())]).Call("postBatch(bytes32,bytes[])");

    /// <summary>The operation of an event, if it is one that holds an operation.</summary>
    /// <param name="log">What the contract said.</param>
    /// <param name="operation">The operation, or null; its signature is not verified yet.</param>
    /// <returns>False for other events, and for bytes that are no operation: anybody may post anything, and such a thing is void.</returns>
    public static bool TryReadPosted(ChainLog log, out SignedOperation? operation)
    {
        operation = null;
        var reader = new AbiReader(log.Data);
        _ = reader.UInt64();
        return log.Topics.Count == 2 && log.Topics[0] == Posted && reader.Bytes(OperationBytesMax) is { Length: > 0 } bytes && reader.Ok &&
            SignedOperation.TryRead(bytes, out operation, out _);
    }

    /// <summary>The genesis of a run, from the event of its creation.</summary>
    /// <param name="log">What the contract said.</param>
    /// <param name="genesis">A usable genesis of the run that the event names, or null.</param>
    /// <param name="terms">The terms of the chain.</param>
    public static bool TryReadCreated(ChainLog log, out Genesis? genesis, out ChainTerms terms)
    {
        (genesis, terms) = (null, default);
        if (log.Topics.Count != 3 || log.Topics[0] != RunCreated)
        {
            return false;
        }

        var reader = new AbiReader(log.Data);
        _ = reader.UInt64();
        var (wei, dispute, exit, token) = (reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.Address());
        var bytes = reader.Bytes(GenesisBytesMax);
        if (!reader.Ok || dispute > uint.MaxValue || exit > uint.MaxValue || !Genesis.TryRead(bytes, out var read, out _) || read!.Digest != log.Topics[1])
        {
            return false;
        }

        (genesis, terms) = (read, new ChainTerms(wei, (uint)dispute, (uint)exit, token));
        return true;
    }

    /// <summary>What the contract keeps of a run.</summary>
    /// <param name="run">Which run.</param>
    public static byte[] RunQuestion(Digest run) => new AbiWriter().Word(run).Call("runs(bytes32)");

    /// <summary>The block in which a run was created, from the answer to <see cref="RunQuestion"/>; 0 if the contract knows no such run.</summary>
    /// <param name="answer">What the contract says.</param>
    public static ulong CreatedBlock(byte[] answer)
    {
        var reader = new AbiReader(answer);
        var block = reader.UInt64();
        return reader.Ok ? block : 0;
    }

    /// <summary>How much was said of a run, from the answer to <see cref="RunQuestion"/>; null if it is none, or the contract knows no such run.</summary>
    /// <param name="answer">What the contract says.</param>
    public static EventRecord? ReadRecord(byte[] answer)
    {
        var reader = new AbiReader(answer);
        var (created, said, record) = (reader.UInt64(), reader.UInt64(), reader.Word());
        return reader.Ok && created > 0 ? new EventRecord(said, record) : null;
    }

    private static Digest Event(string signature) => Keccak.Hash(Encoding.ASCII.GetBytes(signature));

    private static byte[] ReadCode()
    {
        using var stream = typeof(CairnContract).Assembly.GetManifestResourceStream("CairnRuns.json");
        Invariant.Check(stream is not null);
        using var built = JsonDocument.Parse(stream!);
        return Convert.FromHexString(built.RootElement.GetProperty("bytecode").GetString()!);
    }
}
