using System.Collections.Concurrent;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>Objects that this process has fetched and verified, so that what was judged is at hand when it is applied, whatever becomes of its author's store meanwhile
/// (rule 5 of the round: to accept is to hold the bytes).</summary>
/// <remarks>In memory, bounded: after a restart they are fetched again, and where their author is gone the mean of the round stands for them.</remarks>
/// <param name="bytesMax">The most that is held; beyond it nothing more is.</param>
internal sealed class HeldUpdates(long bytesMax)
{
    private readonly ConcurrentDictionary<Digest, (Round Round, byte[] Bytes)> _held = new();
    private long _bytes;

    /// <summary>The bytes of a digest, or null.</summary>
    /// <param name="digest">SHA-256 of the object.</param>
    public byte[]? Find(Digest digest) => _held.TryGetValue(digest, out var held) ? held.Bytes : null;

    /// <summary>Holds an object that has just been verified.</summary>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="bytes">The object; not changed any more.</param>
    public void Hold(Round round, Digest digest, byte[] bytes)
    {
        if (Interlocked.Read(ref _bytes) + bytes.Length <= bytesMax && _held.TryAdd(digest, (round, bytes)))
        {
            Interlocked.Add(ref _bytes, bytes.Length);
        }
    }

    /// <summary>Drops what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        foreach (var (digest, held) in _held)
        {
            if (held.Round <= applied && _held.TryRemove(digest, out var dropped))
            {
                Interlocked.Add(ref _bytes, -dropped.Bytes.Length);
            }
        }
    }
}
