using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>The means of rounds in the store: every validator puts one there as it applies a round, and whoever comes back when the updates are gone takes
/// any that leads to the base which the ledger names.</summary>
internal sealed class DeltaStore : IDisposable
{
    // Of so many publishers at most: a store full of lies costs a bounded time.
    private const int TriedMax = 16;
    private readonly RunContext _run;
    private readonly Manifest _manifest;
    private readonly MemoryStream _bytes = new();

    /// <summary>Begins a delta.</summary>
    public DeltaStore(RunContext run, Manifest manifest)
    {
        (_run, _manifest) = (run, manifest);
        Writer = new RoundDeltaWriter(run.Grid, _bytes, run.RulesDigest, manifest.Round, manifest.Digest);
    }

    /// <summary>Takes the mean.</summary>
    public RoundDeltaWriter Writer { get; }

    /// <summary>Puts what was written in the store.</summary>
    public Task PutAsync(Uid publisher, CancellationToken cancellation) =>
        _run.Store.PutAsync(ObjectKey.Delta(_manifest.Round, publisher), _bytes.ToArray(), cancellation);

    /// <summary>Applies a round by the first delta that leads to the right base.</summary>
    /// <returns>False if there is none.</returns>
    public static async Task<bool> TryApplyAsync(
        RunContext run, Replica replica, Manifest manifest, Digest quorum, byte[] book, bool settles, CancellationToken cancellation)
    {
        var bytesMax = RoundDelta.BytesMax(run.Grid, manifest.Entries.Count);
        var tried = 0;
        await foreach (var key in run.Store.ListAsync(ObjectKey.DeltaPrefix(manifest.Round), cancellation))
        {
            if (++tried > TriedMax)
            {
                return false;
            }

            var outcome = await run.Store.GetAsync(key, bytesMax, cancellation);
            if (outcome.Status == FetchStatus.Found
                && RoundDelta.TryRead(outcome.Bytes, run.Grid, run.RulesDigest, manifest.Round, manifest.Digest, out _) is { } delta
                && await Task.Run(() => replica.TryApply(delta, quorum, book, settles), cancellation))
            {
                return true;
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();
}
