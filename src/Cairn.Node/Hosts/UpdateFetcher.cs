using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>Gets updates from the store and opens them: every byte bounded before it is read and verified before it is used.</summary>
internal static class UpdateFetcher
{
    /// <summary>Fetches, decrypts, verifies and decodes one update.</summary>
    /// <returns>The update, or why not: a peer's fault, or <see cref="Rejection.Missing"/> when the store does not give it.</returns>
    public static async Task<(SparseUpdate? Update, Rejection Why, string Detail)> FetchAsync(
        RunContext run, Round round, Uid uid, PublicKey author, Opening opening, CancellationToken cancellation)
    {
        if (opening.SizeBytes > run.ObjectBytesMax || !run.Codec.IsPossible(opening.SizeBytes - Envelope.SealedSize(0)))
        {
            var why = opening.SizeBytes > run.ObjectBytesMax ? Rejection.TooLarge : Rejection.Malformed;
            return (null, why, $"announced as {opening.SizeBytes} bytes, the rules allow {run.ObjectBytesMax}");
        }

        var outcome = await run.Store.GetVerifiedAsync(ObjectKey.Update(round, opening.ObjectDigest), opening.ObjectDigest, opening.SizeBytes, cancellation);
        if (outcome.Status != FetchStatus.Found)
        {
            var why = outcome.Status switch
            {
                FetchStatus.TooLarge => Rejection.TooLarge,
                FetchStatus.Corrupt => Rejection.NotAsCommitted,
                _ => Rejection.Missing,
            };
            return (null, why, outcome.Detail);
        }

        if (outcome.Bytes.Length != opening.SizeBytes)
        {
            return (null, Rejection.NotAsCommitted, $"announced as {opening.SizeBytes} bytes, it has {outcome.Bytes.Length}");
        }

        var header = new EnvelopeHeader(EnvelopeKind.Update, run.RulesDigest, round, uid);
        if (!Envelope.TryOpen(outcome.Bytes, opening.Key, opening.ObjectDigest, header, author, out var payload, out var refused))
        {
            return (null, refused, "the envelope does not open");
        }

        return run.Codec.TryDecode(payload, run.RulesDigest, round, uid, out var update, out refused)
            ? (update, Rejection.None, "")
            : (null, refused, "the update does not decode");
    }

    /// <summary>Fetches exactly the manifest, in its order.</summary>
    /// <exception cref="InputException">A member of a closed manifest cannot be had: the round cannot be applied here.</exception>
    public static async Task<IReadOnlyList<Contribution>> FetchManifestAsync(
        RunContext run, Manifest manifest, IReadOnlyDictionary<Uid, PublicKey> keys, CancellationToken cancellation)
    {
        var (contributions, missing) = await TryFetchManifestAsync(run, manifest, keys, cancellation);
        return contributions ?? throw new InputException(missing);
    }

    /// <summary>The same, or null and one sentence about the first member that cannot be had.</summary>
    public static async Task<(IReadOnlyList<Contribution>? Contributions, string Missing)> TryFetchManifestAsync(
        RunContext run, Manifest manifest, IReadOnlyDictionary<Uid, PublicKey> keys, CancellationToken cancellation)
    {
        var contributions = new List<Contribution>(manifest.Entries.Count);
        foreach (var entry in manifest.Entries)
        {
            var opening = new Opening(entry.ObjectDigest, entry.SizeBytes, entry.Key, Digest.Zero, Digest.Zero, Digest.Zero);
            var (update, why, detail) = await FetchAsync(run, manifest.Round, entry.Uid, keys[entry.Uid], opening, cancellation);
            if (update is null)
            {
                return (null,
                    $"the update of member {entry.Uid} for round {manifest.Round}, which the ledger closed, cannot be read from {run.Directory.Store} " +
                    $"({why}: {detail}): restore the object from a copy of the store, then go on with --resume.");
            }

            contributions.Add(new Contribution(update, entry.Weight));
        }

        return (contributions, "");
    }
}
