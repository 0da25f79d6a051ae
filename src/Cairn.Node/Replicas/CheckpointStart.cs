using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>How a node begins that cannot repeat the rounds since its state, or has no state: from a checkpoint that the ledger names, and from there on by the
/// updates of the rounds after it or their means.</summary>
/// <remarks>Rule 8 of the round: whatever the store gives is compared with what the ledger says before it is used. Moments, error feedback and a validator's book
/// begin anew, as those of a newcomer do.</remarks>
internal static class CheckpointStart
{
    /// <summary>Sets a replica to the newest good checkpoint, if it cannot go on from where it stands.</summary>
    /// <param name="run">The run.</param>
    /// <param name="node">For the log.</param>
    /// <param name="replica">Just opened.</param>
    /// <param name="ledger">After the replay.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task BeginAsync(RunContext run, string node, Replica replica, LedgerState ledger, CancellationToken cancellation)
    {
        run.Stores.Notice(ledger);
        // Who has a state of its own goes on from it as long as it can, for it holds more than a checkpoint does.
        var closed = StateAgainstLedger.ClosedRounds(ledger);
        if (closed - replica.Next.Number <= run.Rules.Round.RetainedRounds
            || (replica.Next.Number > 0 && await HasAllMeansAsync(run, replica.Next, closed, ledger, cancellation)))
        {
            return;
        }

        // A checkpoint so old that the rounds after it are gone helps nobody.
        var oldest = Math.Max(replica.Next.Number, closed - run.DeltasRetained - 1);
        foreach (var (round, digest) in ledger.Checkpoints.Reverse().TakeWhile(named => named.Round.Number >= oldest))
        {
            // Nobody else's stores are asked: whoever could be, could have a node that comes back wait as long as he likes.
            var sources = ledger.Validators.Select(member => run.Stores.Of(member.Uid)).Distinct().ToList();
            using var parameters = await new CheckpointDownload(
                run.Layout, run.Time, why => run.Log.Tell(new CheckpointRefused(node, round.Number, why)), round, digest).FetchAsync(sources, cancellation);
            if (parameters is not null)
            {
                replica.BeginFrom(parameters, round.Next, BaseBefore(run, round, ledger));
                run.Log.Tell(new BeganFromCheckpoint(node, round.Number, digest.ToString()));
                return;
            }
        }
    }

    private static Digest BaseBefore(RunContext run, Round round, LedgerState ledger) =>
        round.Number == 0 ? run.Rules.Model.InitialBase : ledger.QuorumBase(new Round(round.Number - 1)) ?? Digest.Zero;

    // Of the rounds whose updates are gone there must be the means, and the base to compare with.
    private static async Task<bool> HasAllMeansAsync(RunContext run, Round next, int closed, LedgerState ledger, CancellationToken cancellation)
    {
        for (var round = next; round.Number < closed - run.Rules.Round.RetainedRounds; round = round.Next)
        {
            if (ledger.ManifestOf(round)!.Empty)
            {
                continue;
            }

            if (ledger.QuorumBase(round) is null || !await HasAnyAsync(run, round, ledger, cancellation))
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<bool> HasAnyAsync(RunContext run, Round round, LedgerState ledger, CancellationToken cancellation)
    {
        foreach (var uid in ledger.Validators.Select(member => member.Uid))
        {
            if (await run.Stores.Of(uid).ExistsAsync(ObjectKey.Delta(round, uid), cancellation))
            {
                return true;
            }
        }

        return false;
    }
}
