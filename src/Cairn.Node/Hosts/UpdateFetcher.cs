using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>Gets updates from the store and opens them: every byte bounded before it is read and verified before it is used.</summary>
internal static class UpdateFetcher
{
    // What an update takes on an ordinary line, before others who hold it are asked too.
    private const int OrdinaryBytesPerSecond = 1 << 20;
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(5);

    /// <summary>Whether an update may have the size that it was opened with: of another it is not fetched.</summary>
    public static bool IsPossible(RunContext run, Opening opening) =>
        opening.SizeBytes <= run.ObjectBytesMax && run.Codec.IsPossible(opening.SizeBytes - Envelope.SealedSize(0));

    /// <summary>Fetches, decrypts, verifies and judges one update.</summary>
    /// <returns>The update, for the caller to dispose, or why not: a peer's fault, or <see cref="Rejection.Missing"/> when the store does not give it, asked again and
    /// again.</returns>
    public static async Task<FetchedUpdate> FetchAsync(
        RunContext run, Round round, Uid uid, PublicKey author, Opening opening, CancellationToken cancellation)
    {
        if (opening.SizeBytes > run.ObjectBytesMax)
        {
            return new FetchedUpdate(Rejection.TooLarge, $"announced as {opening.SizeBytes} bytes, the rules allow {run.ObjectBytesMax}");
        }

        if (!run.Codec.IsPossible(opening.SizeBytes - Envelope.SealedSize(0)))
        {
            return new FetchedUpdate(Rejection.Malformed, $"announced as {opening.SizeBytes} bytes, which no update of this run has");
        }

        var outcome = await BringAsync(run, round, uid, opening, cancellation);
        if (outcome.Status != FetchStatus.Found)
        {
            return new FetchedUpdate(WhyOf(outcome.Status), outcome.Detail, IsLost: outcome.Status is not (FetchStatus.Unreachable or FetchStatus.Silent));
        }

        return run.Opened.Take(OpenedAs.Of(round, uid, opening)) is { } opened
            ? new FetchedUpdate(Rejection.None, "") { Update = opened }
            : await OpenAsync(run, round, uid, author, opening, outcome.Bytes, cancellation);
    }

    /// <summary>Asks its author once for an update and opens it, so that both are done when it is needed. What fails is done then.</summary>
    /// <param name="verified">Called when the bytes are here, and are those that the opening names.</param>
    public static async Task BringAheadAsync(
        RunContext run, Round round, Uid uid, PublicKey author, Opening opening, Action verified, CancellationToken cancellation)
    {
        var outcome = await FromAuthorAsync(run, round, uid, opening, patient: false, cancellation);
        if (outcome.Status != FetchStatus.Found)
        {
            return;
        }

        verified();
        if ((await OpenAsync(run, round, uid, author, opening, outcome.Bytes, cancellation)).Update is { } update)
        {
            run.Opened.Keep(OpenedAs.Of(round, uid, opening), update);
        }
    }

    private static async Task<FetchedUpdate> OpenAsync(
        RunContext run, Round round, Uid uid, PublicKey author, Opening opening, byte[] bytes, CancellationToken cancellation)
    {
        // Few at once: what is being opened is in memory, twice.
        await run.Opening.WaitAsync(cancellation);
        try
        {
            using var held = bytes.Length == 0 ? run.Held.Find(opening.ObjectDigest) : null;
            return Open(run, round, uid, author, opening, held?.Memory ?? bytes);
        }
        finally
        {
            run.Opening.Release();
        }
    }

    private static FetchedUpdate Open(RunContext run, Round round, Uid uid, PublicKey author, Opening opening, ReadOnlyMemory<byte> ciphertext)
    {
        if (ciphertext.Length != opening.SizeBytes)
        {
            return new FetchedUpdate(Rejection.NotAsCommitted, $"announced as {opening.SizeBytes} bytes, it has {ciphertext.Length}", IsLost: true);
        }

        using var plain = new LentBytes(ciphertext.Length);
        var header = new EnvelopeHeader(EnvelopeKind.Update, run.RulesDigest, round, uid);
        if (!Envelope.TryOpen(ciphertext.Span, opening.Key, opening.ObjectDigest, header, author, plain.Memory, out var payload, out var refused))
        {
            return new FetchedUpdate(refused, "the envelope does not open", IsLost: true);
        }

        var bytes = run.Spool.Keep(payload.Span);
        if (EncodedUpdate.TryOpen(run.Codec, bytes, run.RulesDigest, round, uid, out var update, out refused))
        {
            return new FetchedUpdate(Rejection.None, "") { Update = update };
        }

        bytes.Dispose();
        return new FetchedUpdate(refused, "the update does not decode", IsLost: true);
    }

    /// <summary>Fetches exactly the manifest, in its order; or gives one sentence about the first member of it that cannot be had.</summary>
    /// <returns>For the caller to dispose.</returns>
    public static async Task<ManifestUpdates> TryFetchManifestAsync(
        RunContext run, Manifest manifest, IReadOnlyDictionary<Uid, PublicKey> keys, CancellationToken cancellation)
    {
        var entries = manifest.Entries;
        var fetched = new FetchedUpdate?[entries.Count];
        try
        {
            await Parallel.ForAsync(0, entries.Count, AtOnce(cancellation), async (i, stop) =>
            {
                var entry = entries[i];
                var opening = new Opening(entry.ObjectDigest, entry.SizeBytes, entry.Key, Digest.Zero, Digest.Zero, Digest.Zero);
                fetched[i] = await FetchAsync(run, manifest.Round, entry.Uid, keys[entry.Uid], opening, stop);
            });
        }
        catch
        {
            foreach (var one in fetched)
            {
                one?.Update?.Dispose();
            }

            throw;
        }

        return Sorted(run, manifest, fetched!);
    }

    private static ManifestUpdates Sorted(RunContext run, Manifest manifest, FetchedUpdate[] fetched)
    {
        var entries = manifest.Entries;
        var missing = Array.FindIndex(fetched, one => one.Update is null);
        if (missing >= 0)
        {
            var (lost, entry) = (fetched[missing], entries[missing]);
            var remedy = lost.IsLost ? "restore the object from a copy of the store" : "see that the store answers";
            return new ManifestUpdates(
                null, [.. fetched.Select(one => one.Update).OfType<EncodedUpdate>()],
                $"the update of member {entry.Uid} for round {manifest.Round}, which the ledger closed, cannot be read from {run.Stores.Of(entry.Uid).Name} " +
                $"({lost.Why}: {lost.Detail}): {remedy}, then go on with --resume.");
        }

        return new ManifestUpdates(
            [.. fetched.Zip(entries, (one, entry) => new Contribution(one.Update!, entry.Weight))], [.. fetched.Select(one => one.Update!)], "");
    }

    /// <summary>How many objects of strangers are on the way at once.</summary>
    public static ParallelOptions AtOnce(CancellationToken cancellation) => new() { MaxDegreeOfParallelism = 8, CancellationToken = cancellation };

    /// <summary>Asks one store once for what an opening names, and holds it if it is that.</summary>
    /// <returns>Found with the bytes, or without them where they are held.</returns>
    public static async Task<FetchOutcome> FromStoreAsync(RunContext run, IObjectStore store, Round round, Opening opening, CancellationToken cancellation)
    {
        var (key, digest, size) = (ObjectKey.Update(round, opening.ObjectDigest), opening.ObjectDigest, opening.SizeBytes);
        // Where all is in one store it is as good as here.
        if (run.Stores.IsOne)
        {
            return await store.GetVerifiedAsync(key, digest, size, cancellation);
        }

        if (run.Spool.IsForFiles(size) && run.Spool.TryOpen(size) is { } file)
        {
            var got = FetchOutcome.Failed(FetchStatus.Unreachable, "");
            try
            {
                got = await store.GetVerifiedAsync(key, digest, size, file, cancellation);
            }
            finally
            {
                if (got.Status != FetchStatus.Found)
                {
                    file.Dispose();
                }
            }

            if (got.Status != FetchStatus.Found || run.Held.Hold(round, digest, file))
            {
                return got;
            }
        }

        var outcome = await store.GetVerifiedAsync(key, digest, size, cancellation);
        if (outcome.Status == FetchStatus.Found)
        {
            run.Held.Hold(round, digest, outcome.Bytes);
        }

        return outcome;
    }

    // From wherever it is: here, on its way, at its author's, at a validator's. What an author's server gives to validators and drips to all others is had from those who
    // hold it, as soon as it takes longer than an update should.
    private static async Task<FetchOutcome> BringAsync(RunContext run, Round round, Uid uid, Opening opening, CancellationToken cancellation)
    {
        if (run.Held.Holds(opening.ObjectDigest))
        {
            return FetchOutcome.Found([]);
        }

        var patience = FirstWait + TimeSpan.FromSeconds(opening.SizeBytes / (double)OrdinaryBytesPerSecond);
        return await StaggeredFetch.FirstAsync(
            [
                stop => FromAuthorAsync(run, round, uid, opening, patient: true, stop),
                .. run.Stores.HoldersOf(uid).Select<IObjectStore, Func<CancellationToken, Task<FetchOutcome>>>(
                    holder => stop => FromStoreAsync(run, holder, round, opening, stop)),
            ],
            patience, run.Time, cancellation);
    }

    // Who said nothing when it was needed is not asked again for the same (ahead of its time a busy line is no fault); who could not be reached is, if there is time.
    private static async Task<FetchOutcome> FromAuthorAsync(RunContext run, Round round, Uid uid, Opening opening, bool patient, CancellationToken cancellation)
    {
        if (patient)
        {
            await run.Held.WhenComeAsync(opening.ObjectDigest, cancellation);
            if (run.Held.Holds(opening.ObjectDigest))
            {
                return FetchOutcome.Found([]);
            }
        }

        if (run.Silences.IsNoted(opening.ObjectDigest))
        {
            return Silences.Outcome;
        }

        var store = run.Stores.Of(uid);
        var outcome = patient
            ? await PatientFetch.AskAsync(() => FromStoreAsync(run, store, round, opening, cancellation), run.Time, cancellation)
            : await FromStoreAsync(run, store, round, opening, cancellation);
        if (patient && outcome.Status == FetchStatus.Silent)
        {
            run.Silences.Note(round, opening.ObjectDigest);
        }

        return outcome;
    }

    private static Rejection WhyOf(FetchStatus status) => status switch
    {
        FetchStatus.TooLarge => Rejection.TooLarge,
        FetchStatus.Corrupt => Rejection.NotAsCommitted,
        _ => Rejection.Missing,
    };
}

/// <summary>An update from the store, or why there is none.</summary>
/// <param name="Why">None if there is one.</param>
/// <param name="Detail">More on a refusal, for people.</param>
/// <param name="IsLost">True if the store holds no such object, or another in its place: asking again does not help, and no copy of ours would say otherwise.</param>
internal sealed record FetchedUpdate(Rejection Why, string Detail, bool IsLost = false)
{
    /// <summary>The update, or null.</summary>
    public EncodedUpdate? Update { get; init; }
}

/// <summary>The updates of a closed round, or why they cannot be had.</summary>
/// <param name="Contributions">In the order of the manifest, or null.</param>
/// <param name="Found">Those that could be had.</param>
/// <param name="Missing">One sentence if null.</param>
internal sealed record ManifestUpdates(List<Contribution>? Contributions, IReadOnlyList<EncodedUpdate> Found, string Missing) : IDisposable
{
    /// <summary>The update of a member among those that could be had.</summary>
    public EncodedUpdate? Of(Uid uid) => Found.FirstOrDefault(update => update.Uid == uid);

    public void Dispose()
    {
        foreach (var update in Found)
        {
            update.Dispose();
        }
    }
}
