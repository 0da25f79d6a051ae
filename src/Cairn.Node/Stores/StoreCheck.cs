using System.Security.Cryptography;
using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>Whether a place will do for a node: written by its owner, read by everybody else. And how to make it so.</summary>
public static class StoreCheck
{
    /// <summary>Creates the bucket of a place if it is not there, and lets everybody read and list it.</summary>
    /// <param name="place">An S3 address.</param>
    /// <param name="access">The account whose bucket it is to be.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The text is no address, there is no account, or the server does not do it.</exception>
    public static Task CreateAsync(string place, StoreAccess access, CancellationToken cancellation) =>
        S3Bucket.CreateAsync(AddressOf(place), StoreOpening.WriterOf(AddressOf(place), access), cancellation);

    /// <summary>Does once all that a node does with its store, and reads what it wrote as others will.</summary>
    /// <param name="place">An S3 address.</param>
    /// <param name="access">The account that writes.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Each step with what was wrong with it; empty if nothing.</returns>
    /// <exception cref="InputException">The text is no address, or there is no account.</exception>
    public static async Task<IReadOnlyList<(string Step, string Fault)>> RunAsync(string place, StoreAccess access, CancellationToken cancellation)
    {
        var address = AddressOf(place);
        using var line = new S3Line(access.Options, allowPrivateHosts: true);
        using var own = new S3Store(address, StoreOpening.WriterOf(address, access), line, stranger: false);
        using var others = new S3Store(address, null, line, stranger: true);
        var bytes = RandomNumberGenerator.GetBytes(1000);
        Invariant.Check(ObjectKey.TryParse($"check/{Digest.Of(bytes)}", out var key));
        var steps = new List<(string, string)>();
        var put = await own.PutAsync(key, bytes, cancellation);
        steps.Add(("write with the own account", put.Detail));
        if (put.Status != PutStatus.Stored)
        {
            return steps;
        }

        var again = await own.CreateAsync(key, bytes, cancellation);
        steps.Add(("create nothing twice", again.Status == PutStatus.Exists ? "" : "the server replaced an object that it was told to leave alone."));
        var got = await others.GetVerifiedAsync(key, Digest.Of(bytes), bytes.Length, cancellation);
        steps.Add(("read as others do", got.Detail));
        var part = await others.GetRangeAsync(key, 100, 50, cancellation);
        steps.Add(("read a part as others do", part.Bytes.AsSpan().SequenceEqual(bytes.AsSpan(100, 50)) ? "" : $"{part.Detail} It is not that part."));
        var listed = false;
        await foreach (var found in own.ListAsync("check/", cancellation))
        {
            listed |= found == key;
        }

        steps.Add(("list", listed ? "" : "the object that was just written is not in the list."));
        var foreign = await others.PutAsync(key, bytes, cancellation);
        steps.Add(("refuse others who write", foreign.Status == PutStatus.Stored ? "anybody may write there: take that right away." : ""));
        steps.Add(("delete", await own.DeleteAsync(key, cancellation) ? "" : "the object cannot be deleted: old rounds would stay for ever."));
        return steps;
    }

    /// <summary>Puts a small object into a node's own store and reads it as others will, before the node takes part.</summary>
    /// <param name="stores">The node's.</param>
    /// <param name="name">Its name.</param>
    /// <param name="isNew">True if it is no member yet: then a store that does not answer is refused as well. A member may wait for its own.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">It cannot be written, or not be read by others.</exception>
    internal static async Task TryOutAsync(RunStores stores, string name, bool isNew, CancellationToken cancellation)
    {
        if (stores.Place.Length == 0)
        {
            return;
        }

        var bytes = RandomNumberGenerator.GetBytes(100);
        Invariant.Check(ObjectKey.TryParse($"check/{name}", out var key));
        var put = await stores.Own.PutAsync(key, bytes, cancellation);
        if (put.Status == PutStatus.Refused || (put.Status != PutStatus.Stored && isNew))
        {
            throw new InputException($"{put.Detail.TrimEnd('.')}; or name another place with --store.");
        }

        if (put.Status != PutStatus.Stored)
        {
            return;
        }

        var got = await stores.AsOthersRead().GetVerifiedAsync(key, Digest.Of(bytes), bytes.Length, cancellation);
        await stores.Own.DeleteAsync(key, cancellation);
        if (got.Status is FetchStatus.Missing or FetchStatus.Corrupt or FetchStatus.TooLarge || (got.Status != FetchStatus.Found && isNew))
        {
            throw new InputException($"others cannot read what is put into the own store: {got.Detail.TrimEnd('.')}; cairn store create makes a bucket that will do.");
        }
    }

    private static S3Address AddressOf(string place) =>
        StoreOpening.AddressOf(place) ?? throw new InputException($"'{place}' is no S3 address: s3://bucket/prefix?endpoint=https://host.");
}
