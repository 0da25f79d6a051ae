using Cairn.Base;

namespace Cairn.Training;

/// <summary>The k elements of largest size of a block. Tier T2: a matter of comparisons alone.</summary>
public static class LargestOfBlock
{
    /// <summary>Finds them.</summary>
    /// <param name="values">The block; no NaN is ever chosen before a number.</param>
    /// <param name="places">Receives their places, the largest first, of equal ones the lower place first: exactly k, 1 to values.Length.</param>
    /// <remarks>One pass with insertion into the sorted list of the best so far: about k·ln(n/k) insertions for values in random order.</remarks>
    public static void Find(ReadOnlySpan<float> values, Span<int> places)
    {
        Invariant.Check(places.Length > 0 && places.Length <= values.Length);
        var found = 0;
        var least = -1f;
        for (var i = 0; i < values.Length; i++)
        {
            var size = SizeOf(values[i]);
            if (found == places.Length && !(size > least))
            {
                continue;
            }

            // An equal one that came earlier stays before this one: ties go to the lower place.
            var at = found == places.Length ? found - 1 : found++;
            for (; at > 0 && SizeOf(values[places[at - 1]]) < size; at--)
            {
                places[at] = places[at - 1];
            }

            places[at] = i;
            least = SizeOf(values[places[found - 1]]);
        }
    }

    // Below every number, so that a gradient that went wrong is the last to be sent.
    private static float SizeOf(float value) => float.IsNaN(value) ? -1 : Math.Abs(value);
}
