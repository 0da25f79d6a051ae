using System.Globalization;
using System.Runtime.CompilerServices;

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
    public static void Hold(bool holds, string oracle, string what)
    {
        if (!holds)
        {
            throw new OracleException(oracle, what);
        }
    }

    /// <summary>Fails the run unless something holds. What it says is put together only then: an oracle looks after every event, and nearly all hold.</summary>
    public static void Hold(bool holds, string oracle, [InterpolatedStringHandlerArgument(nameof(holds))] FaultText what)
    {
        if (!holds)
        {
            throw new OracleException(oracle, what.ToString());
        }
    }

    /// <summary>An interpolated text that is not written where nothing is wrong, nor what stands in it computed.</summary>
    [InterpolatedStringHandler]
    public ref struct FaultText
    {
        private DefaultInterpolatedStringHandler _text;

        public FaultText(int literalLength, int formattedCount, bool holds, out bool isWritten)
        {
            isWritten = !holds;
            _text = isWritten ? new DefaultInterpolatedStringHandler(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public void AppendFormatted<T>(T value, string format) => _text.AppendFormatted(value, format);

        public override string ToString() => _text.ToStringAndClear();
    }
}
