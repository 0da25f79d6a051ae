namespace Cairn.Gauntlet;

/// <summary>Belief about how good a peer's updates are compared with the others'.</summary>
/// <param name="Mu">Mean of the belief.</param>
/// <param name="Sigma">Its deviation; falls with every match.</param>
public readonly record struct Rating(double Mu, double Sigma)
{
    /// <summary>A newcomer: μ 25, σ 25/3.</summary>
    public static Rating Newcomer => new(25, 25.0 / 3);

    /// <summary>A cautious single number: μ − 3σ, 0 for a newcomer.</summary>
    public double Ordinal => Mu - (3 * Sigma);
}

/// <summary>The constants of rating.</summary>
/// <param name="Beta">Spread of a single performance.</param>
/// <param name="Tau">Added to the deviation before each match, so that it never closes entirely.</param>
/// <param name="Kappa">The least share of its variance that a match leaves.</param>
/// <param name="MuMin">μ is held at or above this.</param>
/// <param name="MuMax">μ is held at or below this.</param>
public sealed record RatingRules(double Beta, double Tau, double Kappa, double MuMin, double MuMax)
{
    /// <summary>Those of Covenant-72B: no bounds, so that an old peer's lead grows for ever.</summary>
    public static RatingRules Published { get; } = new(7, 0.1, 1e-4, double.NegativeInfinity, double.PositiveInfinity);

    /// <summary>Ours: the published ones, with μ held within 0 … 50, the newcomer's mean ± 3 of its deviations: nobody gets out of reach, nobody is
    /// lost for ever.</summary>
    public static RatingRules Bounded { get; } = Published with { MuMin = 0, MuMax = 50 };
}
