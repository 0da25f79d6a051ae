using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Protocol;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>The means of rounds in the store: every validator puts one there as it applies a round, and whoever comes back when the updates are gone takes
/// any that leads to the base which the ledger names.</summary>
internal sealed class DeltaStore : IDisposable
{
    private readonly RunContext _run;
    private readonly Manifest _manifest;
    private readonly MemoryStream _bytes = new();

    /// <summary>Begins a delta.</summary>
    public DeltaStore(RunContext run, Manifest manifest)
    {
        (_run, _manifest) = (run, manifest);
        Writer = new RoundDeltaWriter(run.Grid, _bytes, run.RulesDigest, manifest.Round, manifest.Digest);
    }

    /// <summary>Whether a delta of this round fits one object: of the largest models it does not, and they are caught up otherwise.</summary>
    public static bool Fits(RunContext run, Manifest manifest) => RoundDelta.BytesMax(run.Grid, manifest.Entries.Count) <= Array.MaxLength;

    /// <summary>Takes the mean.</summary>
    public RoundDeltaWriter Writer { get; }

    /// <summary>Puts what was written in the store.</summary>
    public Task PutAsync(Uid publisher, CancellationToken cancellation) =>
        _run.Store.PutAsync(ObjectKey.Delta(_manifest.Round, publisher), _bytes.ToArray(), cancellation);

    /// <summary>Applies a round by the first delta that leads to the right base.</summary>
    /// <param name="run">The run.</param>
    /// <param name="replica">At the start of the round.</param>
    /// <param name="apply">The round.</param>
    /// <param name="publishers">The validators: nobody else's objects are looked at, so that a store full of lies hides nothing.</param>
    /// <param name="quorum">The base after the round.</param>
    /// <param name="book">A validator's book to keep with the state.</param>
    /// <param name="settles">True to keep the state.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False if there is none.</returns>
    public static async Task<bool> TryApplyAsync(
        RunContext run, Replica replica, ApplyManifest apply, IReadOnlyList<Uid> publishers, Digest quorum, byte[] book, bool settles,
        CancellationToken cancellation)
    {
        var bytesMax = RoundDelta.BytesMax(run.Grid, apply.Manifest.Entries.Count);
        foreach (var publisher in publishers)
        {
            var outcome = await run.Store.GetAsync(ObjectKey.Delta(apply.Round, publisher), bytesMax, cancellation);
            if (outcome.Status == FetchStatus.Found && await Task.Run(() => TryApply(outcome.Bytes), cancellation))
            {
                return true;
            }
        }

        return false;

        bool TryApply(byte[] bytes) =>
            RoundDelta.TryRead(bytes, run.Grid, run.RulesDigest, apply.Round, apply.Manifest.Digest, out _) is { } delta
            && replica.TryApply(delta, quorum, apply.Included, book, settles);
    }

    /// <inheritdoc/>
    public void Dispose() => _bytes.Dispose();
}
