using Cairn.Base;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>How a run is to end, from what its owner chose and what its data have.</summary>
internal static class Annealing
{
    // As in the published run.
    private const int WarmUpStepsMax = 100;

    /// <summary>The rules of the annealing, or null where there is none.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="samples">Samples of the annealing part of the data; 0 if they have none.</param>
    /// <param name="rounds">Rounds of the run.</param>
    /// <param name="innerSteps">Inner steps of a round.</param>
    /// <exception cref="InputException">Annealing was asked for, and the data or the rounds do not allow it.</exception>
    public static AnnealRules? Of(SwarmOptions options, long samples, int rounds, int innerSteps)
    {
        if (samples == 0)
        {
            var asked = options.AnnealRounds is > 0 and var wanted ? $"--anneal-rounds {wanted}" : $"--anneal-rate {options.AnnealRate}";
            return options.AnnealRounds is null or 0 && options.AnnealRate is null ? null : throw new InputException(
                $"the data have no annealing part for {asked}: prepare one (cairn data prepare --anneal-mix, then --data with that folder), or leave the option out.");
        }

        var last = options.AnnealRounds ?? ((rounds + 9) / 10);
        if (last == 0)
        {
            return null;
        }

        if (last >= rounds)
        {
            throw new InputException(
                $"{last} of {rounds} rounds cannot be the annealing at the end of the run: at least one must come before it. " +
                "Give more --rounds (or --minutes), fewer --anneal-rounds, or --anneal-rounds 0 to train on all data alike.");
        }

        var warmUp = options.AnnealRate is null ? 0 : (int)Math.Min(WarmUpStepsMax, (long)last * innerSteps / 10);
        return new AnnealRules(samples, rounds - last, options.AnnealRate ?? 0, warmUp);
    }
}
