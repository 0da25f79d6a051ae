using Cairn.Base;

namespace Cairn.Model;

/// <summary>The parameters of round 0, the same bits on every machine (Tier T2): each tensor draws from a stream of its own.</summary>
/// <remarks>Rules, after the published run's code (reference 1.1), normal numbers cut at three sigma and drawn again:
/// norms 1; queries, keys, values and gate σ = 0.02; attention output, up and down σ = 0.02 / √(2·(layer + 1));
/// untied: embedding normal with σ = 1 and head σ = D^−½; tied: both σ = min(0.02, D^−½), since the published σ = 1
/// would start the logits with a deviation of √D and a loss far above ln V.</remarks>
public static class Initializer
{
    private const double Sigma = 0.02;
    private const double Cut = 3;

    /// <summary>Makes the parameters of a seed.</summary>
    /// <param name="layout">The layout.</param>
    /// <param name="seed">The run's seed.</param>
    /// <returns>The caller disposes them.</returns>
    public static Parameters Create(ParameterLayout layout, ulong seed)
    {
        var parameters = new Parameters(layout);
        Fill(parameters, seed);
        return parameters;
    }

    /// <summary>Overwrites parameters with those of a seed.</summary>
    /// <param name="parameters">Overwritten.</param>
    /// <param name="seed">The run's seed.</param>
    public static void Fill(Parameters parameters, ulong seed)
    {
        var layout = parameters.Layout;
        for (var index = 0; index < layout.Tensors.Count; index++)
        {
            var tensor = layout.Tensors[index];
            var values = parameters[tensor];
            if (!tensor.IsMatrix)
            {
                values.Fill(1);
                continue;
            }

            var random = new SeededRandom(seed, "init", index);
            FillNormal(values, SigmaOf(layout, tensor), ref random);
        }
    }

    private static void FillNormal(Span<float> values, double sigma, ref SeededRandom random)
    {
        for (var i = 0; i < values.Length; i++)
        {
            double z;
            do
            {
                z = random.NextNormal();
            }
            while (Math.Abs(z) > Cut);
            values[i] = (float)(sigma * z);
        }
    }

    private static double SigmaOf(ParameterLayout layout, ParameterTensor tensor)
    {
        var headSigma = 1 / Math.Sqrt(layout.Shape.Dim);
        if (tensor == layout.Embedding)
        {
            return layout.Shape.TiedHead ? Math.Min(Sigma, headSigma) : 1;
        }

        if (tensor == layout.Head)
        {
            return headSigma;
        }

        for (var layer = 0; layer < layout.Shape.Layers; layer++)
        {
            if (tensor == layout[layer].Output || tensor == layout[layer].Up || tensor == layout[layer].Down)
            {
                return Sigma / Math.Sqrt(2.0 * (layer + 1));
            }
        }

        return Sigma;
    }
}
