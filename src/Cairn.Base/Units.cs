using System.Globalization;

namespace Cairn.Base;

/// <summary>One outer step of the run, counted from 0.</summary>
/// <param name="Number">0 or more.</param>
public readonly record struct Round(int Number) : IComparable<Round>
{
    /// <summary>The round after this one.</summary>
    public Round Next => new(Number + 1);

    /// <inheritdoc/>
    public int CompareTo(Round other) => Number.CompareTo(other.Number);

    /// <summary>Earlier than.</summary>
    public static bool operator <(Round left, Round right) => left.Number < right.Number;

    /// <summary>Later than.</summary>
    public static bool operator >(Round left, Round right) => left.Number > right.Number;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Round left, Round right) => left.Number <= right.Number;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Round left, Round right) => left.Number >= right.Number;

    /// <inheritdoc/>
    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The number of a registered member (peer or validator) in a run, given in order of registration from 0; it fixes the order of every sum.</summary>
/// <param name="Value">0 or more.</param>
public readonly record struct Uid(int Value) : IComparable<Uid>
{
    /// <inheritdoc/>
    public int CompareTo(Uid other) => Value.CompareTo(other.Value);

    /// <summary>Registered earlier.</summary>
    public static bool operator <(Uid left, Uid right) => left.Value < right.Value;

    /// <summary>Registered later.</summary>
    public static bool operator >(Uid left, Uid right) => left.Value > right.Value;

    /// <summary>Not registered later.</summary>
    public static bool operator <=(Uid left, Uid right) => left.Value <= right.Value;

    /// <summary>Not registered earlier.</summary>
    public static bool operator >=(Uid left, Uid right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
