using Cairn.Base;

namespace Cairn.Formats;

/// <summary>Names and sizes of the ways to store numbers.</summary>
public static class NumberTypes
{
    private static readonly (NumberType Type, string Name, int BlockLength, int BlockBytes)[] All =
    [
        (NumberType.F32, "f32", 1, 4),
        (NumberType.F16, "f16", 1, 2),
        (NumberType.BF16, "bf16", 1, 2),
        (NumberType.Q80, "q8_0", NumberCodec.Q80Length, NumberCodec.Q80Bytes),
        (NumberType.Q4K, "q4_k", NumberCodec.Q4KLength, NumberCodec.Q4KBytes),
    ];

    /// <summary>The names, as the command line takes them.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(one => one.Name)];

    /// <summary>The type of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>; capitals do not matter.</param>
    /// <exception cref="InputException">No such type; the message lists them.</exception>
    public static NumberType Parse(string name) =>
        All.FirstOrDefault(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)) is { Name: not null } found
            ? found.Type
            : throw new InputException($"there is no number type '{name}'; choose one of {string.Join(", ", Names)}");

    /// <summary>The name of a type.</summary>
    /// <param name="type">A type that is known here.</param>
    public static string NameOf(NumberType type) => Of(type).Name;

    /// <summary>True for a type that is known here.</summary>
    /// <param name="type">Any number.</param>
    public static bool IsKnown(NumberType type) => All.Any(one => one.Type == type);

    /// <summary>Numbers in a block: the last dimension of a tensor is a multiple of it.</summary>
    /// <param name="type">A type that is known here.</param>
    public static int BlockLength(NumberType type) => Of(type).BlockLength;

    /// <summary>Bytes that numbers take.</summary>
    /// <param name="type">A type that is known here.</param>
    /// <param name="count">Whole blocks.</param>
    public static long Bytes(NumberType type, long count)
    {
        var (_, _, length, bytes) = Of(type);
        Invariant.Check(count % length == 0);
        return count / length * bytes;
    }

    private static (NumberType Type, string Name, int BlockLength, int BlockBytes) Of(NumberType type)
    {
        foreach (var one in All)
        {
            if (one.Type == type)
            {
                return one;
            }
        }

        throw new InvariantViolation($"no number type {type}");
    }
}
