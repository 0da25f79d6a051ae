using Cairn.Base;

namespace Cairn.Ledger;

public sealed partial class LedgerState
{
    /// <summary>Whom the stage that is on waits for: who has not yet done in it what is theirs. Empty if nobody is waited for: a roster without peers, a paused or a
    /// finished run.</summary>
    /// <returns>Ascending by uid. Cost: the members of the round.</returns>
    public IReadOnlyList<Uid> Awaited() => _book.Awaited();
}
