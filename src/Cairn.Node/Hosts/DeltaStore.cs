using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>The means of rounds in the store: every validator puts one there as it applies a round, and whoever comes back when the updates are gone takes
/// any that leads to the base which the ledger names.</summary>
/// <remarks>A delta is written whole into memory, into the same buffer round after round, before it is put: its length and digest are known only at its end, and a
/// store takes
/// an object with its length, all at once or not at all (<see cref="IObjectStore.PutAsync"/>), so a stream would have to wait in a file first.</remarks>
internal sealed class DeltaStore(RunContext run, string name)
{
    private const int PutTries = 4;
    private byte[] _bytes = [];
    private RoundDeltaWriter? _writer;
    private ObjectKey? _key;

    /// <summary>Begins the delta of a round.</summary>
    /// <param name="manifest">Of the round; not empty.</param>
    /// <param name="publisher">Who puts it there.</param>
    /// <returns>Takes the mean; null if it might not fit one object: of the largest models it does not, and they are caught up otherwise.</returns>
    public RoundDeltaWriter? Begin(Manifest manifest, Uid publisher)
    {
        var bytesMax = RoundDelta.BytesMax(run.Grid, manifest.Entries.Count);
        if (bytesMax > Array.MaxLength)
        {
            return null;
        }

        if (_bytes.Length < bytesMax)
        {
            _bytes = GC.AllocateUninitializedArray<byte>((int)bytesMax);
        }

        _key = ObjectKey.Delta(manifest.Round, publisher);
        return _writer = new RoundDeltaWriter(run.Grid, _bytes, run.RulesDigest, manifest.Round, manifest.Digest);
    }

    /// <summary>Puts what was written in the store. The round stands without it: where the store does not take it, that is told and nothing else happens.</summary>
    /// <param name="store">The store.</param>
    /// <param name="round">For the log.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task PutAsync(IObjectStore store, Round round, CancellationToken cancellation)
    {
        Invariant.Check(_writer is { IsWhole: true } && _key is not null);
        var outcome = await store.PutAsync(_key, _bytes.AsMemory(0, _writer.Length), cancellation);
        for (var tries = 1; outcome.Status == PutStatus.Unreachable && tries < PutTries; tries++)
        {
            await Task.Delay(TimeSpan.FromSeconds(tries), run.Time, cancellation);
            outcome = await store.PutAsync(_key, _bytes.AsMemory(0, _writer.Length), cancellation);
        }

        if (outcome.Status != PutStatus.Stored)
        {
            run.Log.Tell(new DeltaNotPut(name, round.Number, outcome.Detail));
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
        RunContext run, Replica replica, ApplyManifest apply, SparseUpdate? own, IReadOnlyList<Uid> publishers, Digest quorum, byte[] book, bool settles,
        CancellationToken cancellation)
    {
        var bytesMax = RoundDelta.BytesMax(run.Grid, apply.Manifest.Entries.Count);
        foreach (var publisher in publishers)
        {
            var outcome = await PatientFetch.AskAsync(
                () => run.Stores.Of(publisher).GetAsync(ObjectKey.Delta(apply.Round, publisher), bytesMax, cancellation), run.Time, cancellation);
            if (outcome.Status == FetchStatus.Found && await Task.Run(() => TryApply(outcome.Bytes), cancellation))
            {
                return true;
            }
        }

        return false;

        bool TryApply(byte[] bytes) =>
            RoundDelta.TryRead(bytes, run.Grid, run.RulesDigest, apply.Round, apply.Manifest.Digest, out _) is { } delta
            && replica.TryApply(delta, quorum, apply.Included, own, book, settles);
    }
}
