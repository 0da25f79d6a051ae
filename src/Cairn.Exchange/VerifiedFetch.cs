using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Exchange;

/// <summary>Getting an object whose content is known by digest: the store need not be trusted.</summary>
public static class VerifiedFetch
{
    /// <summary>Gets an object and compares its SHA-256.</summary>
    /// <param name="store">Where it is kept.</param>
    /// <param name="key">Which.</param>
    /// <param name="expected">SHA-256 of the right bytes.</param>
    /// <param name="bytesMax">The most bytes to accept.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Found only with the right bytes; <see cref="FetchStatus.Corrupt"/> if the store holds others.</returns>
    public static async Task<FetchOutcome> GetVerifiedAsync(
        this IObjectStore store, ObjectKey key, Digest expected, long bytesMax, CancellationToken cancel = default)
    {
        var outcome = await store.GetAsync(key, bytesMax, cancel).ConfigureAwait(false);
        if (outcome.Status != FetchStatus.Found)
        {
            return outcome;
        }

        var actual = Digest.Of(outcome.Bytes);
        return actual == expected
            ? outcome
            : FetchOutcome.Failed(FetchStatus.Corrupt, $"{key} holds bytes of digest {actual.Short}, not {expected.Short}.");
    }

    /// <summary>Gets an object into a file and compares its SHA-256, piece by piece.</summary>
    /// <param name="store">Where it is kept.</param>
    /// <param name="key">Which.</param>
    /// <param name="expected">SHA-256 of the right bytes.</param>
    /// <param name="bytesMax">The most bytes to accept.</param>
    /// <param name="file">Receives it: exactly the right bytes if found, else anything.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Found only with the right bytes; <see cref="FetchStatus.Corrupt"/> if the store holds others.</returns>
    public static async Task<FetchOutcome> GetVerifiedAsync(
        this IObjectStore store, ObjectKey key, Digest expected, long bytesMax, FileStream file, CancellationToken cancel = default)
    {
        var outcome = await store.GetAsync(key, bytesMax, file.SafeFileHandle, cancel).ConfigureAwait(false);
        if (outcome.Status != FetchStatus.Found)
        {
            return outcome;
        }

        file.Position = 0;
        var actual = new Digest(await SHA256.HashDataAsync(file, cancel).ConfigureAwait(false));
        return actual == expected
            ? outcome
            : FetchOutcome.Failed(FetchStatus.Corrupt, $"{key} holds bytes of digest {actual.Short}, not {expected.Short}.");
    }
}
