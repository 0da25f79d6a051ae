using System.Globalization;
using Cairn.Base;
using Cairn.Exchange;

namespace Cairn.Node;

/// <summary>What of past rounds stays in the store: updates for some rounds, for whoever is late, deltas for some more; then everybody drops what is old.</summary>
internal static class Retention
{
    private const string Rounds = "rounds/";
    private const int RoundDigits = 6;

    /// <summary>Deletes what is older, of every round: also of those before an empty one, and of those during which nobody here was running.</summary>
    /// <param name="store">The store.</param>
    /// <param name="updatesFrom">The first round whose updates stay.</param>
    /// <param name="deltasFrom">The first round whose deltas stay; no later one.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <remarks>Lists no more than what stays of the rounds before <paramref name="updatesFrom"/>, for keys come in the order of rounds.</remarks>
    public static async Task ForgetAsync(IObjectStore store, Round updatesFrom, Round deltasFrom, CancellationToken cancellation)
    {
        Invariant.Check(deltasFrom <= updatesFrom);
        await foreach (var key in store.ListAsync(Rounds, cancellation))
        {
            var digits = key.Text.AsSpan(Rounds.Length, Math.Min(RoundDigits, key.Text.Length - Rounds.Length));
            if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                continue;
            }

            if (number >= updatesFrom.Number)
            {
                break;
            }

            var round = new Round(number);
            var isUpdate = key.Text.StartsWith(ObjectKey.UpdatePrefix(round), StringComparison.Ordinal);
            if (isUpdate || (number < deltasFrom.Number && key.Text.StartsWith(ObjectKey.DeltaPrefix(round), StringComparison.Ordinal)))
            {
                await store.DeleteAsync(key, cancellation);
            }
        }
    }
}
