using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Protocol.Tests.Simulation;

/// <summary>The ledger that all nodes share: one operation a block, in the order in which they came in. Signatures are not verified here (the ledger's own
/// tests do that), which leaves time for more seeds.</summary>
internal sealed class Chain
{
    private readonly List<Block> _blocks = [];
    private long _signatures;

    public Chain(Genesis genesis)
    {
        Genesis = genesis;
        State = LedgerState.FromGenesis(genesis);
    }

    public Genesis Genesis { get; }

    public LedgerState State { get; }

    public IReadOnlyList<Block> Blocks => _blocks;

    /// <summary>A signed form with a signature that differs each time, as real ones do.</summary>
    public SignedOperation Sign(PublicKey author, Operation operation)
    {
        var signature = new byte[NodeKey.SignatureSize];
        BitConverter.TryWriteBytes(signature, ++_signatures);
        Invariant.Check(SignedOperation.TryRead([.. author.Bytes, .. signature, .. OperationCodec.ToBytes(operation)], out var signed, out _));
        return signed!;
    }

    public Rejection Append(SignedOperation operation)
    {
        var block = Block.Create(State.Height + 1, State.Tip, [operation]);
        if (!State.TryApply(block, verifySignatures: false, out var why))
        {
            return why;
        }

        _blocks.Add(block);
        return Rejection.None;
    }

    /// <summary>The state that a newcomer computes from the blocks.</summary>
    public LedgerState Replay()
    {
        var state = LedgerState.FromGenesis(Genesis);
        foreach (var block in _blocks)
        {
            state.Apply(block, verifySignatures: false);
        }

        return state;
    }
}
