using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>Puts what has to be in the node's own store before it can go on: a store that does not answer is asked until it does, with longer and longer waits.</summary>
internal static class PatientPut
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    /// <summary>Puts an object.</summary>
    /// <param name="run">Its own store, its clock, its log.</param>
    /// <param name="node">Who waits, for the log.</param>
    /// <param name="key">Where.</param>
    /// <param name="bytes">The object.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The store refuses it for good: no right to write, no such bucket, a full disk.</exception>
    public static async Task PutAsync(RunContext run, string node, ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            var outcome = await run.Stores.Own.PutAsync(key, bytes, cancellation);
            switch (outcome.Status)
            {
                case PutStatus.Stored:
                    return;
                case PutStatus.Refused:
                    throw new InputException(outcome.Detail);
            }

            run.Log.Tell(new StoreDoesNotAnswer(node, key.Text, outcome.Detail));
            await Task.Delay(wait, run.Time, cancellation);
        }
    }
}
