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

    /// <summary>How long a server may take before the first byte of an answer, and between two pieces of one.</summary>
    public TimeSpan AnswerMax { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The slowest that a store may be beyond <see cref="AnswerMax"/> before it counts as silent: who drips bytes holds nobody up for long.</summary>
    public long SlowestBytesPerSecond { get; init; } = 64 << 10;

    private static readonly TimeSpan AssemblingLeast = TimeSpan.FromMinutes(2);
    // Whoever accepts any size waits no longer than this; a timer could not either.
    private static readonly TimeSpan TransferMost = TimeSpan.FromDays(20);

    // Requests that may share a rate at the same time: as many objects as are fetched at once, each in so many pieces.
    private int SharedBy => 8 * PartsAtOnce;

    /// <summary>How long a request that sends some bytes may take.</summary>
    /// <param name="bytes">0 or more.</param>
    internal TimeSpan SendingMax(long bytes) => AnswerMax + TimeOf(bytes, UpBytesPerSecond);

    /// <summary>How long a server may take to put the pieces of an object together: it copies them all, and some answer only then.</summary>
    /// <param name="bytes">Of the object, 0 or more.</param>
    internal TimeSpan AssemblingMax(long bytes) => SendingMax(bytes) is var sending && sending > AssemblingLeast ? sending : AssemblingLeast;

    /// <summary>How long some bytes may take to come.</summary>
    /// <param name="bytes">0 or more.</param>
    internal TimeSpan ReceivingMax(long bytes) => AnswerMax + TimeOf(bytes, DownBytesPerSecond);

    private TimeSpan TimeOf(long bytes, long? rate) => TimeSpan.FromSeconds(Math.Min(bytes / SlowestOf(rate), TransferMost.TotalSeconds));

    // The node's own limit must not make a store look slow.
    private double SlowestOf(long? rate) => rate is { } own ? Math.Min(SlowestBytesPerSecond, (double)own / SharedBy) : SlowestBytesPerSecond;
}
