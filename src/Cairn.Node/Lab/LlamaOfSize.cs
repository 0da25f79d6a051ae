using Cairn.Base;
using Cairn.Model;

namespace Cairn.Node;

/// <summary>A shape of about so many parameters, in the proportions of the presets: heads of 128, one key head for three, a feed-forward part of 8/3, 96 of width for
/// each layer, a head of its own.</summary>
internal static class LlamaOfSize
{
    private const int HeadDim = 128;
    private const int DimPerLayer = 96;
    private const long LargeFrom = 100_000_000;

    /// <summary>The shape nearest to those proportions.</summary>
    /// <param name="parameters">How many.</param>
    /// <param name="context">Tokens of a sample.</param>
    /// <exception cref="InputException">So few that no layer is left.</exception>
    public static ModelShape Of(long parameters, int context)
    {
        ModelShape? best = null;
        for (var dim = HeadDim; dim <= 16_384; dim += HeadDim)
        {
            var one = ShapeOf(parameters, dim, layers: 1, context);
            var perLayer = ShapeOf(parameters, dim, layers: 2, context).ParameterCount - one.ParameterCount;
            var layers = (int)Math.Round((parameters - one.ParameterCount + perLayer) / (double)perLayer);
            if (layers >= 1 && (best is null || Off(dim, layers) < Off(best.Dim, best.Layers)))
            {
                best = one with { Layers = layers };
            }
        }

        return best ?? throw new InputException($"{parameters:N0} parameters are too few for a model of this kind: ask for 2M or more.");
    }

    private static double Off(int dim, int layers) => Math.Abs(Math.Log(layers * (double)DimPerLayer / dim));

    private static ModelShape ShapeOf(long parameters, int dim, int layers, int context)
    {
        var heads = dim / HeadDim;
        var feedForward = ((dim * 8 / 3) + HeadDim - 1) / HeadDim * HeadDim;
        return new ModelShape(
            parameters >= LargeFrom ? 32_000 : 4096, dim, layers, heads, heads % 3 == 0 ? heads / 3 : heads, feedForward, context, TiedHead: false);
    }
}
