using Cairn.Base;

namespace Cairn.Model;

/// <summary>The ladder of named shapes: one name is the only dial, everything else follows from it.</summary>
/// <remarks>The small rungs are ours, tied, made for one CPU; pico is for tests and demonstrations, where a round
/// takes a moment. From 150m on they are the published configurations of the Templar family;
/// 72b is Covenant-72B with its 72,747,327,488 parameters.</remarks>
public static class Presets
{
    private static readonly (string Name, ModelShape Shape)[] _ladder =
    [
        ("pico", new ModelShape(512, 64, 2, 2, 1, 192, 64)),
        ("nano", new ModelShape(4096, 128, 4, 4, 2, 384, 128)),
        ("micro", new ModelShape(4096, 256, 4, 4, 2, 704, 256)),
        ("small", new ModelShape(4096, 384, 6, 6, 6, 1024, 256)),
        ("medium", new ModelShape(8192, 512, 8, 8, 4, 1408, 512)),
        ("150m", new ModelShape(32_000, 1024, 12, 16, 16, 2688, 2048, TiedHead: false)),
        ("1b", new ModelShape(32_000, 2048, 16, 8, 8, 8192, 2048, TiedHead: false)),
        ("8b", new ModelShape(128_256, 4096, 32, 32, 8, 14_336, 2048, 500_000, TiedHead: false)),
        ("72b", new ModelShape(262_144, 8192, 80, 64, 8, 28_672, 2048, 500_000, TiedHead: false)),
    ];

    /// <summary>The names, smallest model first.</summary>
    public static IReadOnlyList<string> Names => [.. _ladder.Select(rung => rung.Name)];

    /// <summary>The shape of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>; capitals do not matter.</param>
    /// <exception cref="InputException">No such name; the message lists them.</exception>
    public static ModelShape Get(string name)
    {
        foreach (var rung in _ladder)
        {
            if (string.Equals(rung.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                return rung.Shape;
            }
        }

        throw new InputException($"there is no preset '{name}'; choose one of {string.Join(", ", Names)}");
    }
}
