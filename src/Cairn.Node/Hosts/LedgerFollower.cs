using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>One node's view of the ledger: replays every block through the one reducer and verifies it for itself.</summary>
internal sealed class LedgerFollower : IDisposable
{
    private readonly EmbeddedLedger _ledger;
    private readonly LedgerBell _bell;

    public LedgerFollower(string path, LedgerBell bell)
    {
        _bell = bell;
        _ledger = EmbeddedLedger.Open(path);
        State = LedgerState.FromGenesis(_ledger.Genesis);
    }

    /// <summary>The state after the newest block seen.</summary>
    public LedgerState State { get; }

    /// <summary>Applies what is new.</summary>
    /// <param name="afterEach">Told after every block.</param>
    /// <returns>True if there was something.</returns>
    public bool CatchUp(Action<LedgerState> afterEach)
    {
        var blocks = _ledger.ReadNew();
        foreach (var block in blocks)
        {
            State.Apply(block, verifySignatures: false); // the handle verified them as it read
            afterEach(State);
        }

        return blocks.Count > 0;
    }

    /// <summary>Appends an operation and wakes the others.</summary>
    public Rejection Append(SignedOperation operation)
    {
        var outcome = _ledger.Append(operation);
        _bell.Ring();
        return outcome.Accepted ? Rejection.None : outcome.Why;
    }

    public void Dispose() => _ledger.Dispose();
}
