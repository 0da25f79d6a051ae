using Cairn.Base;
using Cairn.Exchange;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>Puts updates of others into the node's own store, each once.</summary>
/// <remarks>Rule 5 of the round: to accept is to hold the bytes and serve them. So they are in a validator's own store before it accepts: whatever becomes of their
/// author and his store, and of this process, a manifest that it helped to close can be applied. The line up is the narrow one, so a copy begins as soon as the bytes are
/// verified, while they are opened and judged; what is then refused lies there as well, until its round is dropped.</remarks>
internal sealed class OwnCopies(RunContext run) : IDisposable
{
    // Enough to fill a line, few enough to be in memory.
    private const int AtOnce = 4;
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, (Round Round, Task Put)> _copies = [];
    private readonly SemaphoreSlim _turns = new(AtOnce);

    /// <summary>Puts an object that is held, unless that is done or being done.</summary>
    /// <param name="node">Who waits, for the log.</param>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="cancellation">Gives up, for all who wait: whoever still wants it begins it again.</param>
    /// <returns>Ends when it lies there, or at once if it is not held: by a validator that accepts it it is, unless its round was closed by others and applied.</returns>
    /// <exception cref="InputException">The store refuses it for good.</exception>
    public async Task PutAsync(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        // Where all is in one store it is there already.
        while (!run.Stores.IsOne)
        {
            var (put, begun) = Begin(node, round, digest, cancellation);
            try
            {
                // Who began it stays until it has ended, so that nothing of it goes on after its node.
                await (begun ? put : put.WaitAsync(cancellation));
                return;
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Who began it gave it up.
            }
        }
    }

    /// <summary>Drops the memory of what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        lock (_gate)
        {
            foreach (var (digest, _) in _copies.Where(copy => copy.Value.Round <= applied).ToList())
            {
                _copies.Remove(digest);
            }
        }
    }

    public void Dispose() => _turns.Dispose();

    private (Task Put, bool Begun) Begin(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_copies.TryGetValue(digest, out var copy) && !copy.Put.IsCanceled && !copy.Put.IsFaulted)
            {
                return (copy.Put, false);
            }

            var put = Task.Run(() => PutHeldAsync(node, round, digest, cancellation), CancellationToken.None);
            _copies[digest] = (round, put);
            return (put, true);
        }
    }

    private void Forget(Digest digest)
    {
        lock (_gate)
        {
            _copies.Remove(digest);
        }
    }

    private async Task PutHeldAsync(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        await _turns.WaitAsync(cancellation);
        try
        {
            using var bytes = run.Held.Find(digest);
            if (bytes is null)
            {
                // Not held, or no longer: whoever holds it later puts it then.
                Forget(digest);
                return;
            }

            await PatientPut.PutAsync(run, node, ObjectKey.Update(round, digest), bytes.Memory, cancellation);
        }
        finally
        {
            _turns.Release();
        }
    }
}
