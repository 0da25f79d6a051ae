namespace Cairn.Exchange;

/// <summary>How a fetch ended. The world's trouble is a value, never an exception.</summary>
public enum FetchStatus
{
    /// <summary>The bytes are there.</summary>
    Found = 0,

    /// <summary>The store answers, and has no such object.</summary>
    Missing = 1,

    /// <summary>There are more bytes than the caller allowed; none was fetched.</summary>
    TooLarge = 2,

    /// <summary>Something is there that is not the object: other content than its digest names, or no plain file. Asking again does not help.</summary>
    Corrupt = 3,

    /// <summary>The store does not answer, or broke off. Asking again may help.</summary>
    Unreachable = 4,

    /// <summary>The store was given all the time that there is for one object and did not use it. Asking again now would only take as long again.</summary>
    Silent = 5,
}

/// <summary>What a fetch gave.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Bytes">The whole object if found and not put elsewhere, else empty. Owned by the caller.</param>
/// <param name="Detail">One sentence for the log if not found, else empty.</param>
public readonly record struct FetchOutcome(FetchStatus Status, byte[] Bytes, string Detail)
{
    /// <summary>The object was there.</summary>
    /// <param name="bytes">All of it.</param>
    public static FetchOutcome Found(byte[] bytes) => new(FetchStatus.Found, bytes, "");

    /// <summary>The object was not there, or not as it should be.</summary>
    /// <param name="status">Any but <see cref="FetchStatus.Found"/>.</param>
    /// <param name="detail">One sentence: which object, and what was seen.</param>
    public static FetchOutcome Failed(FetchStatus status, string detail) => new(status, [], detail);
}
