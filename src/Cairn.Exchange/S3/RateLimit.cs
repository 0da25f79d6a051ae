namespace Cairn.Exchange;

/// <summary>Lets bytes pass at a rate: whoever is ahead of it waits, in the order of asking.</summary>
internal sealed class RateLimit(long bytesPerSecond, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _freeAt = time.GetTimestamp();

    /// <summary>Waits until so many bytes may pass.</summary>
    public async ValueTask PassAsync(int bytes, CancellationToken cancel)
    {
        TimeSpan wait;
        lock (_gate)
        {
            var now = time.GetTimestamp();
            wait = _freeAt > now ? time.GetElapsedTime(now, _freeAt) : TimeSpan.Zero;
            _freeAt = Math.Max(_freeAt, now) + (long)((double)bytes / bytesPerSecond * time.TimestampFrequency);
        }

        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, cancel).ConfigureAwait(false);
        }
    }
}
