using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>The means of rounds in the store: every validator puts one there as it applies a round, and whoever comes back when the updates are gone takes
/// any that leads to the base which the ledger names.</summary>
/// <remarks>A mean grows with the model and the round, so it waits in a file until it is put. One that the store did not take is put again after the next rounds: the
/// newest few are kept for that.</remarks>
internal sealed class DeltaStore(RunContext run, string name) : IDisposable
{
    private const int PutTries = 4;
    private const int UnsentMax = 2;
    private readonly Queue<PendingDelta> _unsent = [];

    /// <summary>Begins the delta of a round.</summary>
    /// <param name="manifest">Of the round; not empty.</param>
    /// <param name="publisher">Who puts it there.</param>
    /// <returns>Takes the mean.</returns>
    public PendingDelta Begin(Manifest manifest, Uid publisher) =>
        new(run.Spool.TryOpen(0), ObjectKey.Delta(manifest.Round, publisher), manifest.Round, file => new RoundDeltaWriter(
            run.Grid, file, run.RulesDigest, manifest.Round, manifest.Digest));

    /// <summary>Puts what was written in the store, and what was left from before. The round stands without it: where the store does not take it, that is told and
    /// nothing else happens.</summary>
    /// <param name="store">The store.</param>
    /// <param name="delta">Whole; no longer the caller's.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task PutAsync(IObjectStore store, PendingDelta delta, CancellationToken cancellation)
    {
        if (await TryPutAsync(store, delta, PutTries, cancellation) is { } why)
        {
            run.Log.Tell(new DeltaNotPut(name, delta.Round.Number, why));
            if (delta.File is not null)
            {
                _unsent.Enqueue(delta);
            }
        }
        else
        {
            delta.Dispose();
            while (_unsent.TryPeek(out var before) && await TryPutAsync(store, before, 1, cancellation) is null)
            {
                _unsent.Dequeue().Dispose();
            }
        }

        while (_unsent.Count > UnsentMax)
        {
            _unsent.Dequeue().Dispose();
        }
    }

    /// <summary>Drops what was never taken.</summary>
    public void Dispose()
    {
        while (_unsent.TryDequeue(out var delta))
        {
            delta.Dispose();
        }
    }

    /// <summary>Applies a round by the first delta that leads to the right base.</summary>
    /// <param name="run">The run.</param>
    /// <param name="replica">At the start of the round.</param>
    /// <param name="apply">The round.</param>
    /// <param name="own">The own update that is part of it, if there is one and it can be had.</param>
    /// <param name="publishers">Validators with bond whose base after the round is the named one: nobody else's objects are looked at.</param>
    /// <param name="quorum">The base after the round.</param>
    /// <param name="book">A validator's book to keep with the state.</param>
    /// <param name="settles">True to keep the state.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False if there is none.</returns>
    public static async Task<bool> TryApplyAsync(
        RunContext run, Replica replica, ApplyManifest apply, ISparseUpdate? own, IReadOnlyList<Uid> publishers, Digest quorum, byte[] book, bool settles,
        CancellationToken cancellation)
    {
        var bytesMax = RoundDelta.BytesMax(run.Grid, apply.Manifest.Entries.Count);
        foreach (var publisher in publishers)
        {
            using var file = run.Spool.Open();
            var outcome = await PatientFetch.AskAsync(
                () => run.Stores.Of(publisher).GetAsync(ObjectKey.Delta(apply.Round, publisher), bytesMax, file.SafeFileHandle, cancellation), run.Time, cancellation);
            if (outcome.Status == FetchStatus.Found && await Task.Run(() => TryApply(file), cancellation))
            {
                return true;
            }
        }

        return false;

        bool TryApply(FileStream file) =>
            RoundDelta.TryRead(file, run.Grid, run.RulesDigest, apply.Round, apply.Manifest.Digest, out _) is { } delta
            && replica.TryApply(delta, quorum, apply.Included, own, book, settles);
    }

    // Null if the store took it, else why not.
    private async Task<string?> TryPutAsync(IObjectStore store, PendingDelta delta, int tries, CancellationToken cancellation)
    {
        if (delta.Whole() is not { } file)
        {
            return delta.Fault;
        }

        var outcome = await store.PutAsync(delta.Key, file, cancellation);
        for (var tried = 1; outcome.Status == PutStatus.Unreachable && tried < tries; tried++)
        {
            await Task.Delay(TimeSpan.FromSeconds(tried), run.Time, cancellation);
            outcome = await store.PutAsync(delta.Key, file, cancellation);
        }

        return outcome.Status == PutStatus.Stored ? null : outcome.Detail;
    }
}
