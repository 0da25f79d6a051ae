using Cairn.Base;

namespace Cairn.Ledger.Evm;

/// <summary>A run's state as the chain orders it: what the contract's events hold goes through the one set of rules, and what the chain takes back is taken back
/// here.</summary>
/// <remarks>Operations that the rules refuse stand on the chain and are void, for everybody alike. Those of one block of the chain that may stand make one block of the
/// ledger (more only beyond <see cref="Block.OperationsMax"/>), so that heights and hashes agree wherever the same chain is followed.</remarks>
public sealed class ChainReplay
{
    private readonly Genesis _genesis;
    private readonly List<(ulong ChainBlock, Block Block)> _blocks = [];

    /// <summary>Begins where a ledger stands whose blocks are final.</summary>
    /// <param name="genesis">What the run began with.</param>
    /// <param name="done">Blocks from the first on, their signatures verified.</param>
    public ChainReplay(Genesis genesis, IReadOnlyList<Block> done)
    {
        _genesis = genesis;
        State = LedgerState.FromGenesis(genesis);
        foreach (var block in done)
        {
            State.Apply(block, verifySignatures: false);
            _blocks.Add((0, block));
        }
    }

    /// <summary>The state after everything that was seen. Another object after something was taken back.</summary>
    public LedgerState State { get; private set; }

    /// <summary>How often something was taken back.</summary>
    public int RolledBack { get; private set; }

    /// <summary>Operations that stand on the chain and that the rules refused, of all that was ever seen.</summary>
    public long Void { get; private set; }

    /// <summary>Takes what a follower saw.</summary>
    /// <param name="step">From a follower that began where this did.</param>
    public void Take(ChainStep step)
    {
        RollBackTo(step.KeptUpTo);
        var operations = new List<SignedOperation>();
        for (var i = 0; i < step.New.Count; i++)
        {
            if (CairnContract.TryReadPosted(step.New[i], out var operation))
            {
                operations.Add(operation!);
            }

            var last = i + 1 == step.New.Count || step.New[i + 1].Block != step.New[i].Block;
            if (operations.Count == Block.OperationsMax || (last && operations.Count > 0))
            {
                Order(step.New[i].Block, operations);
                operations.Clear();
            }
        }
    }

    /// <summary>The ledger's blocks from a height on that are of the chain's blocks up to a place.</summary>
    /// <param name="from">The first height.</param>
    /// <param name="place">A final one.</param>
    public IEnumerable<Block> Blocks(long from, ChainPlace place) =>
        _blocks.Skip((int)(from - 1)).TakeWhile(block => block.ChainBlock <= place.Number).Select(block => block.Block);

    private void Order(ulong chainBlock, List<SignedOperation> operations)
    {
        var block = State.Order(operations, out var reasons);
        Void += reasons.Count(why => why != Rejection.None);
        if (block is not null)
        {
            _blocks.Add((chainBlock, block));
        }
    }

    // The state cannot go backwards: what is left is applied once more from the beginning, signatures aside.
    private void RollBackTo(ulong chainBlock)
    {
        var gone = _blocks.FindIndex(block => block.ChainBlock > chainBlock);
        if (gone < 0)
        {
            return;
        }

        _blocks.RemoveRange(gone, _blocks.Count - gone);
        State = LedgerState.FromGenesis(_genesis);
        foreach (var (_, block) in _blocks)
        {
            State.Apply(block, verifySignatures: false);
        }

        RolledBack++;
    }
}
