using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>An evaluation and who signed it.</summary>
/// <param name="By">The member's name.</param>
/// <param name="Role">Peer or Validator.</param>
/// <param name="Record">What it found.</param>
public sealed record PublishedEvaluation(string By, string Role, EvaluationRecord Record);

/// <summary>Reads what evaluators of a run have published: only what a member signed, of checkpoints that the ledger names.</summary>
public static class PublishedEvaluations
{
    private const int CheckpointsMax = 50;

    /// <summary>Asks the stores of all members; what is found is kept in the run's folder, where the dashboard looks.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="trouble">Told once of each store that does not answer; it is asked for nothing more then. Called from any thread.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>In order of rounds, then uids.</returns>
    /// <exception cref="InputException">There is no run.</exception>
    /// <remarks>Cost: an object of a member for each of the newest 50 checkpoints, several at once; of a silent store the time of one.</remarks>
    public static async Task<IReadOnlyList<PublishedEvaluation>> ReadAsync(RunDirectory directory, Action<string> trouble, CancellationToken cancellation)
    {
        var rules = RunSetup.ReadRules(directory);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        if (ledger.Genesis.RulesDigest != rules.ComputeDigest())
        {
            throw new InputException($"{directory.Ledger} belongs to other rules than {directory.Rules}: restore both from one copy of the run.");
        }

        using var stores = StoreOpening.ReadersOf(directory);
        stores.Notice(state);
        return await ReadAsync(directory, state, state.Checkpoints.TakeLast(CheckpointsMax), stores, trouble, cancellation);
    }

    /// <summary>The same from stores that are open.</summary>
    internal static async Task<IReadOnlyList<PublishedEvaluation>> ReadAsync(
        RunDirectory directory, LedgerState state, IEnumerable<(Round Round, Digest Digest)> checkpoints, RunStores stores, Action<string> trouble,
        CancellationToken cancellation)
    {
        var found = new ConcurrentBag<(int Round, Uid Uid, EvaluationRecord Record)>();
        var silent = new ConcurrentDictionary<IObjectStore, bool>();
        var wanted = checkpoints.SelectMany(named => state.Members.Select(member => (named.Round, named.Digest, Member: member)));
        await Parallel.ForEachAsync(wanted, UpdateFetcher.AtOnce(cancellation), async (one, stop) =>
        {
            var (key, store) = (ObjectKey.Evaluation(one.Round, one.Member.Uid), stores.Of(one.Member.Uid));
            if (silent.ContainsKey(store))
            {
                return;
            }

            var outcome = await store.GetAsync(key, EvaluationRecord.BytesMax, stop);
            if (outcome.Status is FetchStatus.Silent or FetchStatus.Unreachable && silent.TryAdd(store, true))
            {
                trouble($"the store of {one.Member.Name} is asked for nothing more: {outcome.Detail}");
            }

            if (outcome.Status == FetchStatus.Found && EvaluationRecord.TryRead(outcome.Bytes, state.Run, one.Member.Key, out _) is { } record
                && record.Round == one.Round.Number && record.Checkpoint == one.Digest.ToString())
            {
                found.Add((one.Round.Number, one.Member.Uid, record));
                if (directory.IsOnNetwork)
                {
                    DurableFile.Write(Path.Combine(directory.Root, key.Text), outcome.Bytes, flush: false);
                }
            }
        });
        return
        [
            .. found.OrderBy(one => one.Round).ThenBy(one => one.Uid)
                .Select(one => new PublishedEvaluation(state.Members[one.Uid.Value].Name, state.Members[one.Uid.Value].Role.ToString(), one.Record)),
        ];
    }
}
