using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>Puts operations that somebody else has ordered through the rules: each is judged after those before it, and those that may stand become the next
    /// block.</summary>
    /// <param name="operations">From anywhere, in their order; 1 to <see cref="Block.OperationsMax"/>. Signatures are verified.</param>
    /// <param name="reasons">One for each: None if it stands now.</param>
    /// <returns>The block, already applied; null if nothing of it may stand: then the state is as it was.</returns>
    public Block? Order(IReadOnlyList<SignedOperation> operations, out IReadOnlyList<Rejection> reasons)
    {
        Invariant.Check(operations.Count is > 0 and <= Block.OperationsMax);
        var judged = new Rejection[operations.Count];
        var accepted = new List<SignedOperation>();
        for (var i = 0; i < judged.Length; i++)
        {
            if (TryApply(operations[i], verifySignature: true, out judged[i]))
            {
                accepted.Add(operations[i]);
            }
        }

        reasons = judged;
        if (accepted.Count == 0)
        {
            return null;
        }

        var block = Block.Create(Height + 1, Tip, accepted);
        Seal(block);
        return block;
    }
}
