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
    // True of a copy that lies there, false of one whose object was not held.
    private readonly Dictionary<(Round Round, Digest Object), Task<bool>> _copies = [];
    private readonly SemaphoreSlim _turns = new(AtOnce);
    private readonly CancellationTokenSource _ended = new();

    /// <summary>Puts an object that is held, unless that is done or being done.</summary>
    /// <param name="node">Who waits, for the log.</param>
    /// <param name="round">Of which round.</param>
    /// <param name="digest">SHA-256 of the object.</param>
    /// <param name="cancellation">Gives up, for all who wait: whoever still wants it begins it again.</param>
    /// <returns>True when it lies there; false if it is not held.</returns>
    /// <exception cref="InputException">The store refuses it for good.</exception>
    public async Task<bool> PutAsync(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        // Where all is in one store it is there already.
        while (!run.Stores.IsOne)
        {
            var put = Begin(node, round, digest, cancellation);
            try
            {
                if (await put.WaitAsync(cancellation) || !run.Held.Holds(digest))
                {
                    return put.Result;
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested && !_ended.IsCancellationRequested)
            {
                // Who began it gave it up.
            }
        }

        return true;
    }

    /// <summary>Drops the memory of what belongs to a round or to earlier ones.</summary>
    /// <param name="applied">The round.</param>
    public void Forget(Round applied)
    {
        lock (_gate)
        {
            foreach (var copy in _copies.Keys.Where(copy => copy.Round <= applied).ToList())
            {
                _copies.Remove(copy);
            }
        }
    }

    /// <summary>Gives up what is on its way, and waits until nothing is: nothing of it goes on after its node.</summary>
    public void Dispose()
    {
        _ended.Cancel();
        lock (_gate)
        {
            Task.WhenAll(_copies.Values).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).Wait();
        }

        _turns.Dispose();
        _ended.Dispose();
    }

    private Task<bool> Begin(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_copies.TryGetValue((round, digest), out var copy) && (!copy.IsCompleted || (copy.IsCompletedSuccessfully && copy.Result)))
            {
                return copy;
            }

            return _copies[(round, digest)] = Task.Run(() => PutHeldAsync(node, round, digest, cancellation), CancellationToken.None);
        }
    }

    private async Task<bool> PutHeldAsync(string node, Round round, Digest digest, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ended.Token);
        await _turns.WaitAsync(stop.Token);
        try
        {
            using var bytes = run.Held.Find(digest);
            if (bytes is not null)
            {
                await PatientPut.PutAsync(run, node, ObjectKey.Update(round, digest), bytes.Memory, stop.Token);
            }

            return bytes is not null;
        }
        finally
        {
            _turns.Release();
        }
    }
}
