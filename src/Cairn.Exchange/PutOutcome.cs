namespace Cairn.Exchange;

/// <summary>How a put ended. The world's trouble is a value, never an exception.</summary>
public enum PutStatus
{
    /// <summary>Every reader sees the whole object.</summary>
    Stored = 0,

    /// <summary>Only of <see cref="IObjectStore.CreateAsync"/>: there was an object already, and it still stands.</summary>
    Exists = 1,

    /// <summary>The store will not take it, however often it is asked: no right to write, no such bucket, a full disk.</summary>
    Refused = 2,

    /// <summary>The store does not answer, or broke off. Asking again may help.</summary>
    Unreachable = 3,
}

/// <summary>What a put gave.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Detail">One sentence with the remedy if it was not stored, else empty.</param>
public readonly record struct PutOutcome(PutStatus Status, string Detail)
{
    /// <summary>The object is there.</summary>
    public static PutOutcome Stored => new(PutStatus.Stored, "");
}
