namespace Cairn.Exchange;

/// <summary>How a node uses an S3 server: what it may take of the line, and how long it waits.</summary>
public sealed record S3Options
{
    /// <summary>Bytes a second sent at most, over all requests; null for no limit.</summary>
    public long? UpBytesPerSecond { get; init; }

    /// <summary>Bytes a second received at most, over all requests; null for no limit.</summary>
    public long? DownBytesPerSecond { get; init; }

    /// <summary>Objects from here on are sent and fetched in pieces of this size.</summary>
    public int PartBytes { get; init; } = 8 << 20;

    /// <summary>Pieces on the way at once.</summary>
    public int PartsAtOnce { get; init; } = 4;

    /// <summary>How long one request may take before its first byte.</summary>
    public TimeSpan AnswerMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The slowest that a store may be before it counts as not answering, beyond <see cref="AnswerMax"/>: who drips bytes holds nobody up.</summary>
    public long SlowestBytesPerSecond { get; init; } = 64 << 10;

    /// <summary>How long a request of some bytes may take.</summary>
    /// <param name="bytes">0 or more.</param>
    internal TimeSpan LimitFor(long bytes) => AnswerMax + TimeSpan.FromSeconds((double)bytes / SlowestBytesPerSecond);
}
