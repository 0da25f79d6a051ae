using Cairn.Base;

namespace Cairn.Gauntlet;

/// <summary>Ratings from the order of many players at once.</summary>
/// <remarks>Weng and Lin 2011, Algorithm 4 (Plackett–Luce), with the numbers of OpenSkill as Covenant-72B used it. With ranks r (0 the best; equal
/// scores share one), c² = Σ(σᵢ² + β²) and
/// p(i,q) = e^(μᵢ/c) / Σ_{s: rₛ ≥ r_q} e^(μₛ/c), the sums below run over q with r_q ≤ rᵢ, A_q the number of players that share r_q:
/// μᵢ += σᵢ²/c · Σ ([q = i] − p)/A_q, and σᵢ² *= max(1 − σᵢ³/c³ · Σ p(1 − p)/A_q, κ).
/// All in double with <see cref="DeterministicMath"/>, in the order given. Cost: players squared.</remarks>
public static class PlackettLuce
{
    /// <summary>The ratings after one match.</summary>
    /// <param name="ratings">Before it, one per player.</param>
    /// <param name="scores">What each achieved, more is better; −∞ is allowed, NaN is not.</param>
    /// <param name="rules">Constants.</param>
    /// <returns>As many ratings. Of fewer than two players nothing is learned: they come back unchanged.</returns>
    public static Rating[] Rate(ReadOnlySpan<Rating> ratings, ReadOnlySpan<double> scores, RatingRules rules)
    {
        Invariant.Check(ratings.Length == scores.Length);
        if (ratings.Length < 2)
        {
            return ratings.ToArray();
        }

        var n = ratings.Length;
        var variance = new double[n];
        var sum = 0.0;
        for (var i = 0; i < n; i++)
        {
            Invariant.Check(!double.IsNaN(scores[i]));
            variance[i] = (ratings[i].Sigma * ratings[i].Sigma) + (rules.Tau * rules.Tau);
            sum += variance[i] + (rules.Beta * rules.Beta);
        }

        var c = Math.Sqrt(sum);
        var strength = new double[n];
        for (var i = 0; i < n; i++)
        {
            strength[i] = DeterministicMath.Exp(ratings[i].Mu / c);
        }

        var (beaten, tied) = Standings(scores, strength);
        var rated = new Rating[n];
        for (var i = 0; i < n; i++)
        {
            rated[i] = RateOne(i, ratings[i].Mu, variance[i], c, scores, strength, beaten, tied, rules);
        }

        return rated;
    }

    /// <summary>For each player the strength of all that did no better, itself included, and how many share its score.</summary>
    private static (double[] Beaten, int[] Tied) Standings(ReadOnlySpan<double> scores, double[] strength)
    {
        var (beaten, tied) = (new double[scores.Length], new int[scores.Length]);
        for (var q = 0; q < scores.Length; q++)
        {
            for (var s = 0; s < scores.Length; s++)
            {
                beaten[q] += scores[s] <= scores[q] ? strength[s] : 0;
                tied[q] += scores[s] == scores[q] ? 1 : 0;
            }
        }

        return (beaten, tied);
    }

    private static Rating RateOne(
        int i, double mu, double variance, double c, ReadOnlySpan<double> scores, double[] strength, double[] beaten, int[] tied, RatingRules rules)
    {
        var (omega, delta) = (0.0, 0.0);
        for (var q = 0; q < scores.Length; q++)
        {
            if (scores[q] < scores[i])
            {
                continue;
            }

            var p = strength[i] / beaten[q];
            omega += ((q == i ? 1 : 0) - p) / tied[q];
            delta += p * (1 - p) / tied[q];
        }

        omega *= variance / c;
        delta *= variance / (c * c) * (Math.Sqrt(variance) / c);
        return new Rating(
            Math.Clamp(mu + omega, rules.MuMin, rules.MuMax), Math.Sqrt(variance) * Math.Sqrt(Math.Max(1 - delta, rules.Kappa)));
    }
}
