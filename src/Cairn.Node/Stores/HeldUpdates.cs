using System.Collections.Concurrent;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>Objects that this process has fetched and verified, so that what was judged is at hand when it is applied, whatever becomes of its author's store meanwhile
/// (rule 5 of the round: to accept is to hold the bytes).</summary>
/// <remarks>In a <see cref="Spool"/>, bounded: after a restart they are fetched again, and where their author is gone the mean of the round stands for them.</remarks>
/// <param name="spool">Where they are.</param>
/// <param name="bytesMax">The most that is held; beyond it nothing more is.</param>
internal sealed class HeldUpdates(Spool spool, long bytesMax) : IDisposable
{
    private readonly ConcurrentDictionary<Digest, Held> _held = new();
    private readonly ConcurrentDictionary<Digest, Task> _coming = new();
    private long _bytes;

    /// <summary>The bytes of an object in memory that is lent, or null.</summary>
    /// <param name="digest">SHA-256 of the object.</param>
    public LentBytes? Find(Digest digest) => _held.TryGetValue(digest, out var held) ? held.Read() : null;

    /// <summary>Whether an object is held.</summary>
    /// <param name="digest">SHA-256 of the object.</param>
    public bool Holds(Digest digest) => _held.ContainsKey(digest);

    /// <summary>Holds an object that has just been verified.</summary>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="bytes">The object; copied. A large one only where a file can be written: a full disk must not become full memory.</param>
    public void Hold(Round round, Digest digest, ReadOnlySpan<byte> bytes)
    {
        if (!Holds(digest))
        {
            var kept = spool.Keep(bytes);
            if (kept is MemoryStream && spool.IsForFiles(bytes.Length))
            {
                kept.Dispose();
                return;
            }

            Hold(round, digest, kept);
        }
    }

    /// <summary>Holds an object that has just been verified.</summary>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="bytes">The object; no longer the caller's.</param>
    /// <returns>False if there is no room.</returns>
    public bool Hold(Round round, Digest digest, Stream bytes)
    {
        var held = new Held(round, bytes);
        var hasRoom = Interlocked.Add(ref _bytes, held.Length) <= bytesMax;
        if (!hasRoom || !_held.TryAdd(digest, held))
        {
            Interlocked.Add(ref _bytes, -held.Length);
            held.Dispose();
        }

        return hasRoom;
    }

    /// <summary>Fetches an object ahead of its time, unless it is here or on its way. Who needs it then waits for no more than what is left of that.</summary>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="fetch">Fetches and holds it; never throws but when cancelled.</param>
    /// <returns>Ends with the fetch.</returns>
    public async Task ComeAsync(Digest digest, Func<Task> fetch)
    {
        var coming = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Holds(digest) || !_coming.TryAdd(digest, coming.Task))
        {
            return;
        }

        try
        {
            await fetch();
        }
        finally
        {
            _coming.TryRemove(digest, out _);
            coming.SetResult();
        }
    }

    /// <summary>Waits for an object that is on its way, if it is.</summary>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task WhenComeAsync(Digest digest, CancellationToken cancellation) =>
        _coming.TryGetValue(digest, out var coming) ? coming.WaitAsync(cancellation) : Task.CompletedTask;

    /// <summary>Drops what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        foreach (var (digest, held) in _held)
        {
            if (held.Round <= applied && _held.TryRemove(digest, out var dropped))
            {
                Interlocked.Add(ref _bytes, -dropped.Length);
                dropped.Dispose();
            }
        }
    }

    public void Dispose() => Forget(new Round(int.MaxValue));

    private sealed class Held(Round round, Stream bytes) : IDisposable
    {
        private readonly Lock _reading = new();
        private bool _dropped;

        public Round Round => round;

        public long Length { get; } = bytes.Length;

        // Null if it was dropped meanwhile.
        public LentBytes? Read()
        {
            lock (_reading)
            {
                if (_dropped)
                {
                    return null;
                }

                var all = new LentBytes((int)Length);
                bytes.Position = 0;
                bytes.ReadExactly(all.Memory.Span);
                return all;
            }
        }

        public void Dispose()
        {
            lock (_reading)
            {
                _dropped = true;
                bytes.Dispose();
            }
        }
    }
}
