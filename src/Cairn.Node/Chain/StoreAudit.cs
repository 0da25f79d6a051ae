using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Model;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What an audit found in the stores of a run.</summary>
/// <param name="Store">Where the common store is.</param>
/// <param name="Updates">Updates of rounds that are still kept whose bytes are those that the ledger names.</param>
/// <param name="Means">Rounds of which a validator's store holds a whole mean.</param>
/// <param name="Checkpoint">The newest checkpoint that the ledger names, or null.</param>
/// <param name="CheckpointBase">The base that it holds, computed from its bytes; null if it cannot be had.</param>
/// <param name="Faults">What is missing, damaged, or another than the ledger says, each as a sentence.</param>
public sealed record StoreAuditReport(string Store, int Updates, int Means, string? Checkpoint, string? CheckpointBase, IReadOnlyList<string> Faults);

/// <summary>Compares what the stores of a run hold with what its ledger names: only digests are believed.</summary>
/// <param name="state">The ledger, rebuilt from the chain.</param>
/// <param name="rules">Of that ledger.</param>
/// <param name="stores">Where the members' objects are.</param>
internal sealed class StoreAudit(LedgerState state, RunRules rules, RunStores stores)
{
    private const int FaultsShown = 50;
    private readonly List<string> _faults = [];

    /// <summary>Audits.</summary>
    /// <param name="cancellation">Gives up.</param>
    public async Task<StoreAuditReport> RunAsync(CancellationToken cancellation)
    {
        stores.Notice(state);
        var closed = StateAgainstLedger.ClosedRounds(state);
        var (updates, means) = (0, 0);
        for (var round = new Round(Math.Max(0, closed - rules.Round.RetainedRounds)); round.Number < closed; round = round.Next)
        {
            var manifest = state.ManifestOf(round)!;
            foreach (var entry in manifest.Entries)
            {
                updates += await HasUpdateAsync(round, entry, cancellation) ? 1 : 0;
            }

            means += !manifest.Empty && await HasMeanAsync(manifest, cancellation) ? 1 : 0;
        }

        var found = await BaseOfCheckpointAsync(cancellation);
        return new StoreAuditReport(
            stores.Common.Name, updates, means, state.LatestCheckpoint?.Digest.ToString(), found?.ToString(),
            _faults.Count <= FaultsShown ? _faults : [.. _faults.Take(FaultsShown), $"and {_faults.Count - FaultsShown} more"]);
    }

    // At its author's, or at any validator's that has accepted it.
    private async Task<bool> HasUpdateAsync(Round round, ManifestEntry entry, CancellationToken cancellation)
    {
        var key = ObjectKey.Update(round, entry.ObjectDigest);
        var first = FetchStatus.Missing;
        foreach (var store in stores.HoldersOf(entry.Uid).Prepend(stores.Of(entry.Uid)))
        {
            var outcome = await PatientFetch.AskAsync(
                () => store.GetVerifiedAsync(key, entry.ObjectDigest, entry.SizeBytes, cancellation), TimeProvider.System, cancellation);
            if (outcome.Status == FetchStatus.Found)
            {
                return true;
            }

            first = first == FetchStatus.Missing ? outcome.Status : first;
        }

        var name = state.Members[entry.Uid.Value].Name;
        _faults.Add($"the update of {name} for round {round.Number + 1}, {entry.ObjectDigest.Short}, is {(first == FetchStatus.Corrupt ? "damaged" : "nowhere")}");
        return false;
    }

    // The ledger names no means: whoever uses one compares the base that it leads to. Here it is seen that it is whole and of that manifest.
    private async Task<bool> HasMeanAsync(Manifest manifest, CancellationToken cancellation)
    {
        var grid = RunContext.GridOf(Layout, rules.Sparse.Keep);
        foreach (var validator in state.Validators)
        {
            var outcome = await stores.Of(validator.Uid).GetAsync(
                ObjectKey.Delta(manifest.Round, validator.Uid), RoundDelta.BytesMax(grid, manifest.Entries.Count), cancellation);
            using var bytes = new MemoryStream(outcome.Bytes);
            if (outcome.Status == FetchStatus.Found
                && RoundDelta.TryRead(bytes, grid, rules.ComputeDigest(), manifest.Round, manifest.Digest, out _) is not null)
            {
                return true;
            }
        }

        _faults.Add($"of round {manifest.Round.Number + 1} no validator's store holds a whole mean");
        return false;
    }

    private async Task<Digest?> BaseOfCheckpointAsync(CancellationToken cancellation)
    {
        if (state.LatestCheckpoint is not { } newest)
        {
            return null;
        }

        var sources = state.Validators.Select(member => stores.Of(member.Uid)).Distinct().ToList();
        using var parameters = await new CheckpointDownload(Layout, TimeProvider.System, _ => { }, newest.Round, newest.Digest).FetchAsync(sources, cancellation);
        if (parameters is null)
        {
            _faults.Add($"the checkpoint of round {newest.Round.Number + 1}, {newest.Digest.Short}, cannot be had as the ledger names it");
            return null;
        }

        var (held, quorum) = (parameters.Digest(), state.QuorumBase(newest.Round));
        if (held != quorum)
        {
            _faults.Add($"the checkpoint of round {newest.Round.Number + 1} holds the base {held.Short}, and the quorum's is {quorum?.Short ?? "none"}");
        }

        return held;
    }

    private ParameterLayout Layout { get; } = new(RunContext.ShapeOf(rules.Model));
}
