namespace Cairn.Simulation;

/// <summary>Something that must always hold did not: the run is over, and its seed is the way to see it again.</summary>
public sealed class OracleException : Exception
{
    /// <summary>Says what did not hold.</summary>
    /// <param name="oracle">Name of the oracle: what is compared when a scenario shrinks.</param>
    /// <param name="what">What was seen, in words.</param>
    public OracleException(string oracle, string what)
        : base($"{oracle}: {what}") => Oracle = oracle;

    /// <summary>Which oracle.</summary>
    public string Oracle { get; }
}

/// <summary>Checks of the oracles.</summary>
internal static class Must
{
    /// <summary>Fails the run unless something holds.</summary>
    public static void Hold(bool holds, string oracle, Func<string> what)
    {
        if (!holds)
        {
            throw new OracleException(oracle, what());
        }
    }
}
