using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Model.Tests;

/// <summary>Models small enough to check by hand, with odd sizes so that no kernel finds a multiple of its width.</summary>
internal static class Tiny
{
    public static ModelShape Shape(bool tied = true, int heads = 3, int kvHeads = 1) => new(37, 6 * heads, 2, heads, kvHeads, 23, 11, TiedHead: tied);

    /// <summary>As <see cref="Initializer"/>, but with larger numbers and norms that are not all 1, so that every gradient is worth
    /// measuring.</summary>
    public static Parameters Parameters(ModelShape shape, ulong seed = 5)
    {
        var parameters = Initializer.Create(new ParameterLayout(shape), seed);
        var random = new SeededRandom(seed, "tiny");
        foreach (var tensor in parameters.Layout.Tensors)
        {
            foreach (ref var value in parameters[tensor])
            {
                value = (float)((tensor.IsMatrix ? 0.0 : 1.0) + (0.3 * random.NextNormal()));
            }
        }

        return parameters;
    }

    public static int[] Tokens(int count, int vocabulary, ulong seed = 9)
    {
        var random = new SeededRandom(seed, "tokens");
        var tokens = new int[count];
        for (var i = 0; i < count; i++)
        {
            tokens[i] = random.NextBelow(vocabulary);
        }

        return tokens;
    }
}
