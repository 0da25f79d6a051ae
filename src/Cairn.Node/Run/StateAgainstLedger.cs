using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>A node's durable state beside the ledger it comes back to: neither may be from another time than the other can explain.</summary>
internal static class StateAgainstLedger
{
    /// <summary>Refuses a state that is after the end of the ledger, and one so old that the rounds since cannot be repeated.</summary>
    /// <param name="node">The node's name.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="next">The first round not yet applied to the state.</param>
    /// <param name="ledger">After the replay.</param>
    /// <param name="retained">Rounds for which updates, or at least their means, are kept.</param>
    /// <exception cref="InputException">They do not belong together; one sentence says which to restore.</exception>
    public static void Check(string node, string folder, Round next, LedgerState ledger, int retained)
    {
        var closed = ClosedRounds(ledger);
        if (next.Number > closed)
        {
            throw new InputException(
                $"the ledger has closed {closed} rounds, but the state of {node} in {folder} is after {next.Number}: the ledger was cut; " +
                "restore ledger.cairn from a copy of the run.");
        }

        if (closed - next.Number > retained)
        {
            throw new InputException(
                $"the state of {node} in {folder} is at round {next.Number}, the ledger at {closed}, rounds are kept for {retained} more, and no checkpoint after " +
                "it is in the store: restore the state-*.bin there, or the store, from a copy of the run.");
        }
    }

    /// <summary>How many rounds the ledger has closed.</summary>
    /// <param name="ledger">The ledger.</param>
    public static int ClosedRounds(LedgerState ledger)
    {
        var closed = 0;
        while (ledger.ManifestOf(new Round(closed)) is not null)
        {
            closed++;
        }

        return closed;
    }
}
