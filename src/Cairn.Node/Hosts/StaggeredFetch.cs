using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>Asks several stores for one object: the first at once, each next one as soon as those before it have failed, or when they have taken longer than they should.
/// Whoever gives it first wins, and the others are given up: a store that drips holds nobody up for longer than that.</summary>
internal static class StaggeredFetch
{
    /// <summary>Fetches.</summary>
    /// <param name="sources">At least one; each asks one store, and is cancelled when another has given the object.</param>
    /// <param name="patience">How long the newest one asked may take before the next is asked too.</param>
    /// <param name="time">For the waits.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>Found, or what the first store said if none has it.</returns>
    public static async Task<FetchOutcome> FirstAsync(
        IReadOnlyList<Func<CancellationToken, Task<FetchOutcome>>> sources, TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        using var others = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var asked = new List<Task<FetchOutcome>> { sources[0](others.Token) };
        var running = asked.ToList();
        try
        {
            while (running.Count > 0)
            {
                using var waited = CancellationTokenSource.CreateLinkedTokenSource(others.Token);
                var late = asked.Count < sources.Count ? Task.Delay(patience, time, waited.Token) : Task.Delay(Timeout.Infinite, waited.Token);
                var done = await Task.WhenAny([.. running, late]);
                await waited.CancelAsync();
                if (done is Task<FetchOutcome> answered)
                {
                    running.Remove(answered);
                    if (await answered is { Status: FetchStatus.Found } found)
                    {
                        return found;
                    }
                }

                cancellation.ThrowIfCancellationRequested();
                if (asked.Count < sources.Count && (running.Count == 0 || done == late))
                {
                    asked.Add(sources[asked.Count](others.Token));
                    running.Add(asked[^1]);
                }
            }

            return await asked[0];
        }
        finally
        {
            // What they hold is theirs to give back, and what they throw now says nothing to anybody.
            await others.CancelAsync();
            await Task.WhenAll(running.Select(one => ((Task)one).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
        }
    }
}
