using Cairn.Base;
using Cairn.Ledger;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>One node's view of the ledger: replays every block through the one reducer and verifies it for itself.</summary>
internal sealed class LedgerFollower : IDisposable
{
    private readonly EmbeddedLedger _ledger;
    private readonly EvmLedger? _chain;
    private readonly LedgerBell _bell;

    /// <summary>Opens the file.</summary>
    /// <param name="path">The ledger's file.</param>
    /// <param name="bell">Of this process.</param>
    /// <param name="chain">What orders the ledger, if it is not the file itself.</param>
    public LedgerFollower(string path, LedgerBell bell, EvmLedger? chain)
    {
        (_bell, _chain) = (bell, chain);
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

    /// <summary>Appends an operation and wakes the others; where a chain orders the ledger, sends it on its way there.</summary>
    public Rejection Append(SignedOperation operation)
    {
        if (_chain is not null)
        {
            return _chain.Append(operation);
        }

        var outcome = _ledger.Append(operation);
        _bell.Ring();
        return outcome.Accepted ? Rejection.None : outcome.Why;
    }

    public void Dispose() => _ledger.Dispose();
}
