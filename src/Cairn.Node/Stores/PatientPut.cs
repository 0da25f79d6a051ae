using Cairn.Base;
using Cairn.Exchange;
using Microsoft.Win32.SafeHandles;

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
    public static Task PutAsync(RunContext run, string node, ObjectKey key, ReadOnlyMemory<byte> bytes, CancellationToken cancellation) =>
        PutAsync(run, node, key, () => run.Stores.Own.PutAsync(key, bytes, cancellation), cancellation);

    /// <summary>Puts an object from a file.</summary>
    /// <param name="run">Its own store, its clock, its log.</param>
    /// <param name="node">Who waits, for the log.</param>
    /// <param name="key">Where.</param>
    /// <param name="file">The object.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">The store refuses it for good.</exception>
    public static Task PutAsync(RunContext run, string node, ObjectKey key, SafeFileHandle file, CancellationToken cancellation) =>
        PutAsync(run, node, key, () => run.Stores.Own.PutAsync(key, file, cancellation), cancellation);

    private static async Task PutAsync(RunContext run, string node, ObjectKey key, Func<Task<PutOutcome>> put, CancellationToken cancellation)
    {
        for (var wait = FirstWait; ; wait = wait * 2 < LongestWait ? wait * 2 : LongestWait)
        {
            var outcome = await put();
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
