namespace Cairn.Exchange;

/// <summary>The connections of one node to all S3 servers that it talks to: they share its rates. The stores of strangers are reached on public addresses only, unless
/// their owner runs on a private network and says so.</summary>
public sealed class S3Line : IDisposable
{
    private readonly GuardedHttp _trusted;
    private readonly GuardedHttp _strangers;

    /// <summary>Opens nothing yet.</summary>
    /// <param name="options">Rates and patience.</param>
    /// <param name="allowPrivateHosts">True to let strangers' stores be on private networks and on this machine: a node that can be told where to connect can be told
    /// to ask its own network for things.</param>
    public S3Line(S3Options options, bool allowPrivateHosts)
    {
        Options = options;
        var up = LimitOf(options.UpBytesPerSecond);
        var down = LimitOf(options.DownBytesPerSecond);
        _trusted = new GuardedHttp(options, allowPrivateHosts: true, up, down);
        _strangers = allowPrivateHosts ? _trusted : new GuardedHttp(options, allowPrivateHosts: false, up, down);
    }

    /// <summary>Rates and patience.</summary>
    public S3Options Options { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trusted.Dispose();
        _strangers.Dispose();
    }

    internal GuardedHttp For(bool stranger) => stranger ? _strangers : _trusted;

    private static RateLimit? LimitOf(long? rate) => rate is { } bytes ? new RateLimit(bytes, TimeProvider.System) : null;
}
