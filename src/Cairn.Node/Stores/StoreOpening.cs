using System.Net;
using System.Net.Sockets;
using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>From the text of a place to a store.</summary>
internal static class StoreOpening
{
    /// <summary>The stores of one node.</summary>
    /// <param name="directory">The run's folder.</param>
    /// <param name="ownText">Where this node puts its objects: an S3 address, a folder, or null for its part of the common store.</param>
    /// <param name="name">The node's name: its part of a common bucket.</param>
    /// <param name="access">What it may do there.</param>
    /// <exception cref="InputException">A text is no place, or there is no account to write with.</exception>
    public static RunStores StoresOf(RunDirectory directory, string? ownText, string name, StoreAccess access)
    {
        var commonText = directory.Places.Store;
        var common = commonText is null ? null : AddressOf(commonText);
        var own = ownText is null ? null : AddressOf(ownText);
        if (ownText is not null && own is null && Path.GetFullPath(ownText) != Path.GetFullPath(directory.Store))
        {
            throw new InputException($"nobody else can read the folder {ownText}: name a place on S3 with --store, or leave it out.");
        }

        own ??= common is null ? null : common with { Prefix = common.Prefix.Length > 0 ? $"{common.Prefix}/{name}" : name };
        var line = new S3Line(access.Options, allowPrivateHosts: IsPrivate(common) || IsPrivate(own));
        // The account that writes is shown to the server that it writes to, and to no other.
        IObjectStore commonStore = common is null ? new DirectoryStore(directory.Store)
            : new S3Store(common, ownText is null ? access.Writer : null, line, stranger: false);
        if (own is null)
        {
            return new RunStores(commonStore, commonStore, "", Open, line);
        }

        return new RunStores(new S3Store(own, WriterOf(own, access), line, stranger: false), commonStore, own.ToString(), Open, line);

        // What others announce is only ever an address on the network: paths of others never touch the file system.
        IObjectStore? Open(string place) => S3Address.TryParse(place, out var address, out _) ? new S3Store(address, null, line, stranger: true) : null;
    }

    /// <summary>The stores of a run for somebody who only reads.</summary>
    /// <param name="directory">The run's folder.</param>
    /// <exception cref="InputException">The common store's text is no place.</exception>
    public static RunStores ReadersOf(RunDirectory directory) => ReadersOf(directory.Places.Store ?? directory.Store);

    /// <summary>The stores of a run for somebody who only reads and knows where its common one is.</summary>
    /// <param name="text">An S3 address or a folder.</param>
    /// <exception cref="InputException">The text is no place.</exception>
    public static RunStores ReadersOf(string text)
    {
        if (AddressOf(text) is not { } address)
        {
            return RunStores.One(new DirectoryStore(text));
        }

        var line = new S3Line(new S3Options(), allowPrivateHosts: IsPrivate(address));
        var common = new S3Store(address, null, line, stranger: false);
        return new RunStores(
            common, common, "", place => S3Address.TryParse(place, out var announced, out _) ? new S3Store(announced, null, line, stranger: true) : null, line);
    }

    /// <summary>One store, for the owner of a run who puts the run's data there, or for whoever fetches them.</summary>
    /// <param name="text">An S3 address or a folder.</param>
    /// <param name="access">The account that writes; null to read.</param>
    /// <exception cref="InputException">The text is no place, or there is no account to write with.</exception>
    public static (IObjectStore Store, IDisposable? Line) One(string text, StoreAccess? access)
    {
        if (AddressOf(text) is not { } address)
        {
            return (new DirectoryStore(text), null);
        }

        var line = new S3Line(access?.Options ?? new S3Options(), allowPrivateHosts: true);
        return (new S3Store(address, access is null ? null : WriterOf(address, access), line, stranger: false), line);
    }

    /// <summary>The account that writes to a place.</summary>
    /// <exception cref="InputException">There is none, or it is the one that the address publishes, or the address is too long to be published.</exception>
    public static S3Credentials WriterOf(S3Address address, StoreAccess access)
    {
        var writer = access.Writer ?? throw new InputException(
            $"there is no account to write to {S3Address.Scheme}{address.Bucket} with: set {StoreAccess.AccessKeyVariable} and {StoreAccess.SecretKeyVariable}, " +
            "or name a file of keys with --store-keys.");
        if (address.Reader?.AccessKey == writer.AccessKey)
        {
            throw new InputException(
                $"the reader of {S3Address.Scheme}{address.Bucket} is the account that writes, and the address is published: " +
                "name an account that may only read, or none.");
        }

        return address.ToString().Length <= S3Address.TextMax ? writer
            : throw new InputException($"the address {S3Address.Scheme}{address.Bucket}/{address.Prefix} is too long to be announced: shorten its prefix.");
    }

    /// <summary>An S3 address, or null for a folder.</summary>
    /// <exception cref="InputException">It begins like an address and is none.</exception>
    public static S3Address? AddressOf(string text) =>
        !text.Contains("://", StringComparison.Ordinal) ? null
        : S3Address.TryParse(text, out var address, out var why) ? address
        : throw new InputException($"the store '{text}' is no place: {why}");

    // Whose own store is on a private network plays on that network, and so do those it plays with. A name is looked up: what does not resolve now is taken for public.
    private static bool IsPrivate(S3Address? address)
    {
        if (address?.Endpoint is not { } endpoint)
        {
            return false;
        }

        try
        {
            return endpoint.IsLoopback || Dns.GetHostAddresses(endpoint.Host.Trim('[', ']')).Any(ip => !PublicHosts.IsPublic(ip));
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return false;
        }
    }
}
