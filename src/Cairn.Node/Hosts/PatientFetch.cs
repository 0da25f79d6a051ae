using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>Asks a store that does not answer again, a bounded number of times, with longer and longer waits. Whatever else it says is final at once.</summary>
internal static class PatientFetch
{
    private static readonly int[] WaitsMilliseconds = [100, 400, 1600];

    /// <summary>How often a store is asked at most.</summary>
    public static int TurnsMax => 1 + WaitsMilliseconds.Length;

    /// <summary>Fetches.</summary>
    /// <param name="fetch">Asks once.</param>
    /// <param name="time">For the waits.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>What the store said in the end: Unreachable only if it was so every time.</returns>
    public static async Task<FetchOutcome> AskAsync(Func<Task<FetchOutcome>> fetch, TimeProvider time, CancellationToken cancellation)
    {
        foreach (var wait in WaitsMilliseconds)
        {
            var outcome = await fetch();
            if (outcome.Status != FetchStatus.Unreachable)
            {
                return outcome;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(wait), time, cancellation);
        }

        return await fetch();
    }
}
