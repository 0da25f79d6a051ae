namespace Cairn.Ledger;

/// <summary>The largest score that validators with at least κ of the stake support, by quickselect.</summary>
internal static class StakeMedian
{
    /// <summary>For one peer: the score at which the stake below it first leaves the minority. Scores in any order give the same answer.</summary>
    /// <param name="stakes">Of the validators, each positive.</param>
    /// <param name="scores">What each of them says; 0 for nothing said.</param>
    /// <param name="minority">Sum of the stakes less κ; below 0 where κ is more than there is.</param>
    /// <param name="whole">Sum of the stakes.</param>
    /// <returns>0 if there is no validator.</returns>
    public static Fixed32 Of(ReadOnlySpan<Fixed32> stakes, ReadOnlySpan<Fixed32> scores, Fixed32 minority, Fixed32 whole)
    {
        var places = Enumerable.Range(0, scores.Length).ToList();
        var (low, high) = (Fixed32.Zero, whole);

        // The stake integral from low to high lies within `places`; each turn keeps the part in which the minority ends.
        while (places.Count > 1)
        {
            // The middle, not a random one: everybody must take the same steps.
            var pivot = scores[places[places.Count / 2]];
            var (lower, upper) = (new List<int>(), new List<int>());
            var (lowerStake, upperStake) = (Fixed32.Zero, Fixed32.Zero);
            foreach (var place in places)
            {
                if (scores[place] < pivot)
                {
                    lowerStake += stakes[place];
                    lower.Add(place);
                }
                else if (scores[place] > pivot)
                {
                    upperStake += stakes[place];
                    upper.Add(place);
                }
            }

            if (minority < low + lowerStake && lower.Count > 0)
            {
                (places, high) = (lower, low + lowerStake);
            }
            else if (high - upperStake <= minority && upper.Count > 0)
            {
                (places, low) = (upper, high - upperStake);
            }
            else
            {
                return pivot;
            }
        }

        return places.Count == 0 ? Fixed32.Zero : scores[places[0]];
    }
}
