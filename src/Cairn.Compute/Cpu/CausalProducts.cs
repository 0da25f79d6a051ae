using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The three products of causal attention over a block of query rows, skipping what lies after the diagonal
/// (up to a group of 12 rows or 32 keys).</summary>
/// <remarks>Rows are counted from the block's first; <c>first</c> is its position in the sequence. Tiles are computed whole: rows past the last
/// are scratch.</remarks>
internal static unsafe class CausalProducts
{
    /// <summary>scores[i, t] = ⟨left[i], right[t]⟩ for all t up to the diagonal's tile.</summary>
    /// <param name="plan">Sizes.</param>
    /// <param name="left">Rows <see cref="AttentionPlan.PaddedDim"/> apart.</param>
    /// <param name="panels">Of <see cref="AttentionPlan.PackAcross"/>, all keys.</param>
    /// <param name="scores">Receives the block.</param>
    /// <param name="first">Position of the block's first row.</param>
    /// <param name="rows">Rows of the block.</param>
    public static void Scores(in AttentionPlan plan, float* left, float* panels, float* scores, int first, int rows)
    {
        var dim = plan.Shape.HeadDim;
        for (var key = 0; key < first + rows; key += AttentionPlan.PanelWidth, panels += (nint)AttentionPlan.PanelWidth * dim)
        {
            // Groups wholly before the panel's first key are masked.
            for (var i = Math.Max(0, key - first) / AttentionPlan.Group * AttentionPlan.Group; i < rows; i += AttentionPlan.Group)
            {
                Tile(
                    plan.Kernels, Math.Min(AttentionPlan.Group, rows - i), dim, left + ((nint)i * plan.PaddedDim), plan.PaddedDim, 1,
                    panels, scores + ((nint)i * plan.ScoreWidth) + key, plan.ScoreWidth, accumulate: false);
            }
        }
    }

    /// <summary>sums[i] = Σ over t up to the diagonal of shares[i, t] · right[t]. Shares after the diagonal are zeros up to the group's end.</summary>
    /// <param name="plan">Sizes.</param>
    /// <param name="shares">The block.</param>
    /// <param name="panels">Of <see cref="AttentionPlan.PackAlong"/>, all rows.</param>
    /// <param name="sums">Receives rows <see cref="AttentionPlan.PaddedDim"/> apart.</param>
    /// <param name="first">Position of the block's first row.</param>
    /// <param name="rows">Rows of the block.</param>
    public static void SumOverKeys(in AttentionPlan plan, float* shares, float* panels, float* sums, int first, int rows)
    {
        for (var column = 0; column < plan.PaddedDim; column += AttentionPlan.PanelWidth, panels += (nint)AttentionPlan.PanelWidth * plan.Shape.Length)
        {
            for (var i = 0; i < rows; i += AttentionPlan.Group)
            {
                var group = Math.Min(AttentionPlan.Group, rows - i);
                Tile(
                    plan.Kernels, group, first + i + group, shares + ((nint)i * plan.ScoreWidth), plan.ScoreWidth, 1,
                    panels, sums + ((nint)i * plan.PaddedDim) + column, plan.PaddedDim, accumulate: false);
            }
        }
    }

    /// <summary>sums[t] += Σ over the block's rows i from the diagonal on of shares[i, t] · right[i].</summary>
    /// <param name="plan">Sizes.</param>
    /// <param name="shares">The block.</param>
    /// <param name="panels">Of <see cref="AttentionPlan.PackAlong"/>, the block's rows.</param>
    /// <param name="sums">Rows of all keys, <see cref="AttentionPlan.PaddedDim"/> apart, added to.</param>
    /// <param name="first">Position of the block's first row.</param>
    /// <param name="rows">Rows of the block.</param>
    public static void SumOverQueries(in AttentionPlan plan, float* shares, float* panels, float* sums, int first, int rows)
    {
        for (var column = 0; column < plan.PaddedDim; column += AttentionPlan.PanelWidth, panels += (nint)AttentionPlan.PanelWidth * rows)
        {
            for (var key = 0; key < first + rows; key += AttentionPlan.Group)
            {
                var i = Math.Max(0, key - first);
                Tile(
                    plan.Kernels, Math.Min(AttentionPlan.Group, first + rows - key), rows - i,
                    shares + ((nint)i * plan.ScoreWidth) + key, 1, plan.ScoreWidth,
                    panels + ((nint)i * AttentionPlan.PanelWidth), sums + ((nint)key * plan.PaddedDim) + column, plan.PaddedDim, accumulate: true);
            }
        }
    }

    /// <summary>One group of rows times one panel.</summary>
    private static void Tile(
        MicroKernelSet kernels, int rows, int depth, float* a, nint aRow, nint aStep, float* panel, float* c, nint cRow, bool accumulate)
    {
        for (var row = 0; row < rows;)
        {
            var height = kernels.Height(rows - row);
            for (var column = 0; column < AttentionPlan.PanelWidth; column += kernels.Columns)
            {
                kernels.Run(
                    height, depth, a + (row * aRow), aRow, aStep, panel + column, AttentionPlan.PanelWidth, c + (row * cRow) + column, cRow, accumulate);
            }

            row += height;
        }
    }
}
