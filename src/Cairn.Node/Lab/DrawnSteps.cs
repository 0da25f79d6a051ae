using Cairn.Base;

namespace Cairn.Node;

/// <summary>What stands for the inner steps of a peer where only sizes matter: parameters that have moved by cubed sums of uniform numbers, which have heavier tails than
/// normal ones, as pseudo-gradients do.</summary>
internal static class DrawnSteps
{
    /// <summary>Moves away from the base, with nothing left over from earlier rounds.</summary>
    /// <param name="from">The base.</param>
    /// <param name="local">Receives what is trained.</param>
    /// <param name="error">Emptied.</param>
    /// <param name="peer">Another peer moves otherwise.</param>
    public static void Take(ReadOnlySpan<float> from, Span<float> local, Span<float> error, int peer)
    {
        error.Clear();
        var bits = new SeededRandom(1, "drawn steps", peer).NextUInt64() | 1;
        for (var i = 0; i < local.Length; i++)
        {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            var sum = ((bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48)) / 65536f - 2f;
            local[i] = from[i] - (sum * sum * sum * 1e-3f);
        }
    }
}
