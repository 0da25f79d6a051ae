namespace Cairn.Compute;

/// <summary>Attention of one (sequence, key/value head): per block of query rows, scores, powers, and the sum of
/// values by powers, divided at the end.</summary>
internal readonly unsafe struct AttentionForward(AttentionPlan plan, float* qkv, float* output, float* lse, nint[] memory) : IWork
{
    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        var shape = plan.Shape;
        var (sequence, kvHead) = (item / shape.KvHeads, item % shape.KvHeads);
        var rows = qkv + ((nint)sequence * shape.Length * shape.QkvWidth);
        var keys = rows + ((nint)(shape.Heads + kvHead) * shape.HeadDim);
        var keyPanels = (float*)memory[worker];
        var valuePanels = keyPanels + plan.PanelFloats;
        plan.PackAcross(keys, shape.QkvWidth, shape.Length, keyPanels);
        plan.PackAlong(keys + ((nint)shape.KvHeads * shape.HeadDim), shape.QkvWidth, shape.Length, valuePanels);

        var perGroup = shape.Heads / shape.KvHeads;
        for (var head = kvHead * perGroup; head < (kvHead + 1) * perGroup; head++)
        {
            var queries = rows + ((nint)head * shape.HeadDim);
            var outputs = output + ((nint)sequence * shape.Length * shape.OutWidth) + ((nint)head * shape.HeadDim);
            var headLse = lse + ((((nint)sequence * shape.Heads) + head) * shape.Length);
            for (var first = 0; first < shape.Length; first += AttentionPlan.RowBlock)
            {
                var count = Math.Min(AttentionPlan.RowBlock, shape.Length - first);
                Block(queries + ((nint)first * shape.QkvWidth), outputs + ((nint)first * shape.OutWidth), headLse + first, keyPanels, first, count);
            }
        }
    }

    private void Block(float* queries, float* outputs, float* blockLse, float* keyPanels, int first, int count)
    {
        var valuePanels = keyPanels + plan.PanelFloats;
        var scores = valuePanels + plan.PanelFloats;
        var left = scores + plan.ScoreFloats;
        var sums = left + plan.BlockFloats;
        var powerSums = sums + plan.BlockFloats;
        plan.CopyIn(queries, plan.Shape.QkvWidth, count, left);
        CausalProducts.Scores(plan, left, keyPanels, scores, first, count);
        for (var i = 0; i < count; i++)
        {
            blockLse[i] = AttentionRows.Powers(scores + ((nint)i * plan.ScoreWidth), first + i + 1, plan.Scale, out powerSums[i]);
        }

        CausalProducts.SumOverKeys(plan, scores, valuePanels, sums, first, count);
        for (var i = 0; i < count; i++)
        {
            AttentionRows.Scale(sums + ((nint)i * plan.PaddedDim), 1 / powerSums[i], outputs + ((nint)i * plan.Shape.OutWidth), plan.Shape.HeadDim);
        }
    }
}
