using System.Collections.Concurrent;
using Cairn.Base;
using Cairn.Ledger;
using Cairn.Sparse;

namespace Cairn.Node;

/// <summary>What an update was opened as: the same object opened under another name, size or key is another.</summary>
/// <param name="Round">Of which round.</param>
/// <param name="Author">Whose.</param>
/// <param name="Object">SHA-256 of the object.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Key">What decrypts it.</param>
internal readonly record struct OpenedAs(Round Round, Uid Author, Digest Object, long Size, Digest Key)
{
    public static OpenedAs Of(Round round, Uid author, Opening opening) => new(round, author, opening.ObjectDigest, opening.SizeBytes, opening.Key);
}

/// <summary>Updates that were decrypted, verified and judged before they are needed: while others still reveal or a validator still fills its store, so that between
/// the closing of a round and its application there is only the sum. Each is handed out once.</summary>
/// <remarks>Bounded: beyond that, and after a restart, what is needed is opened when it is needed.</remarks>
/// <param name="spool">Where their bytes are.</param>
/// <param name="bytesMax">The most that is kept.</param>
internal sealed class OpenedUpdates(Spool spool, long bytesMax) : IDisposable
{
    private readonly ConcurrentDictionary<OpenedAs, EncodedUpdate> _opened = new();
    private long _bytes;
    private volatile int _forgotten = -1;

    /// <summary>Keeps an update until somebody takes it or its round is forgotten.</summary>
    /// <param name="name">As what it was opened.</param>
    /// <param name="update">No longer the caller's.</param>
    public void Keep(OpenedAs name, EncodedUpdate update)
    {
        update.Rest();
        var isOutOfPlace = name.Round.Number <= _forgotten || (update.IsInMemory && spool.IsForFiles(name.Size));
        if (Interlocked.Add(ref _bytes, name.Size) > bytesMax || isOutOfPlace || !_opened.TryAdd(name, update))
        {
            Interlocked.Add(ref _bytes, -name.Size);
            update.Dispose();
        }
    }

    /// <summary>Whether an update is here.</summary>
    /// <param name="name">As what it was opened.</param>
    public bool Holds(OpenedAs name) => _opened.ContainsKey(name);

    /// <summary>Hands an update out, for the caller to dispose; null if it is not here.</summary>
    /// <param name="name">As what it was opened.</param>
    public EncodedUpdate? Take(OpenedAs name)
    {
        if (!_opened.TryRemove(name, out var update))
        {
            return null;
        }

        Interlocked.Add(ref _bytes, -name.Size);
        return update;
    }

    /// <summary>Drops what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        _forgotten = Math.Max(_forgotten, applied.Number);
        foreach (var name in _opened.Keys)
        {
            if (name.Round <= applied)
            {
                Take(name)?.Dispose();
            }
        }
    }

    public void Dispose() => Forget(new Round(int.MaxValue));
}
