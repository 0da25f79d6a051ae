using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Follows a run from its ledger alone, verifying every block, and says what happens: stages, rounds, and whom a silent stage waits for. Takes no part and
/// needs no key.</summary>
public static class RunObserver
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>Follows until the run is over or it is told to stop.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="silence">After how long without a block to name whom the stage waits for, and again after as long.</param>
    /// <param name="watch">Told what happens.</param>
    /// <param name="cancellation">Stops.</param>
    /// <returns>True if the run is over.</returns>
    /// <exception cref="InputException">There is no run, or its ledger is damaged.</exception>
    public static async Task<bool> FollowAsync(RunDirectory directory, TimeSpan silence, Action<RunEvent> watch, CancellationToken cancellation)
    {
        var rules = RunSetup.ReadRules(directory);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        if (ledger.Genesis.RulesDigest != rules.ComputeDigest())
        {
            throw new InputException($"{directory.Ledger} belongs to other rules than {directory.Rules}: restore both from one copy of the run.");
        }

        var state = LedgerState.FromGenesis(ledger.Genesis);
        var (lastBlock, lastWord, caughtUp) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetTimestamp(), false);
        while (true)
        {
            foreach (var block in ledger.ReadNew())
            {
                var (round, stage, roster) = (state.CurrentRound, state.Stage, state.Roster.Count);
                state.Apply(block, verifySignatures: false); // the handle verified them as it read
                (lastBlock, lastWord) = (TimeProvider.System.GetTimestamp(), TimeProvider.System.GetTimestamp());
                if (state.CurrentRound > round || (state.Stage == Stage.Finished && stage != Stage.Finished))
                {
                    watch(Ended(state, round, roster));
                }

                if (caughtUp && (state.CurrentRound, state.Stage) != (round, stage))
                {
                    watch(new StageChanged(state.CurrentRound.Number, state.Stage.ToString()));
                }
            }

            if (!caughtUp)
            {
                caughtUp = true;
                watch(new StageChanged(state.CurrentRound.Number, state.Stage.ToString()));
            }

            if (state.Stage == Stage.Finished)
            {
                return true;
            }

            if (TimeProvider.System.GetElapsedTime(lastWord) >= silence)
            {
                lastWord = TimeProvider.System.GetTimestamp();
                watch(new StageWaits(
                    state.CurrentRound.Number, state.Stage.ToString(), TimeProvider.System.GetElapsedTime(lastBlock).TotalSeconds, NamesOf(state)));
            }

            try
            {
                await Task.Delay(PollInterval, cancellation);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    /// <summary>Names of those whom the ledger's stage waits for.</summary>
    /// <param name="state">The ledger.</param>
    internal static string[] NamesOf(LedgerState state) => [.. state.Awaited().Select(uid => state.Members[uid.Value].Name)];

    private static RoundEnded Ended(LedgerState state, Round round, int roster)
    {
        var bases = state.Members.Select(member => state.BaseOf(round, member.Uid)).OfType<Digest>().Distinct().Count();
        return new RoundEnded(round.Number, state.ManifestOf(round)!.Entries.Count, roster, state.QuorumBase(round)?.ToString(), bases <= 1);
    }
}
