using Cairn.Base;

namespace Cairn.Ledger;

/// <summary>Verifies the signatures of whole blocks, many at once: a signature depends on no state, so a replay need not check them in
/// order.</summary>
internal sealed class BlockSignatures
{
    private const int PieceSize = 512;
    private readonly SignatureChecks _few = new();

    /// <summary>Index of the first block with a signature that does not verify, or −1.</summary>
    public int FirstBad(IReadOnlyList<Block> blocks, Digest run)
    {
        var operations = new List<(int Block, SignedOperation Operation)>();
        for (var i = 0; i < blocks.Count; i++)
        {
            foreach (var operation in blocks[i].Operations)
            {
                operations.Add((i, operation));
                if (operation.Operation is Accuse accuse)
                {
                    operations.Add((i, accuse.First));
                    operations.Add((i, accuse.Second));
                }
            }
        }

        if (operations.Count <= PieceSize)
        {
            return FirstBad(operations, 0, _few, run);
        }

        var pieces = new int[(operations.Count + PieceSize - 1) / PieceSize];
        Parallel.For(0, pieces.Length, static () => new SignatureChecks(), (piece, _, checks) =>
        {
            pieces[piece] = FirstBad(operations, piece * PieceSize, checks, run);
            return checks;
        }, static _ => { });
        var first = Array.FindIndex(pieces, bad => bad >= 0);
        return first < 0 ? -1 : pieces[first];
    }

    private static int FirstBad(List<(int Block, SignedOperation Operation)> operations, int start, SignatureChecks checks, Digest run)
    {
        for (var i = start; i < Math.Min(start + PieceSize, operations.Count); i++)
        {
            if (!checks.Verify(operations[i].Operation, run))
            {
                return operations[i].Block;
            }
        }

        return -1;
    }
}
