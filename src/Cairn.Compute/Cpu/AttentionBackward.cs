namespace Cairn.Compute;

/// <summary>Gradient of attention of one (sequence, key/value head), the shares computed anew from the log-sum-exp (Dao et al. 2022):
/// with P = e^(s − lse), dP = dO·Vᵀ, dS = P∘(dP − ⟨dO, O⟩)/√E: dQ = dS·K, dK = dSᵀ·Q, dV = Pᵀ·dO.</summary>
internal readonly unsafe struct AttentionBackwardWork(
    AttentionPlan plan, float* dOutput, float* qkv, float* output, float* lse, float* dQkv, nint[] memory) : IWork
{
    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        var shape = plan.Shape;
        var (sequence, kvHead) = (item / shape.KvHeads, item % shape.KvHeads);
        var at = (nint)sequence * shape.Length * shape.QkvWidth;
        var keyAt = at + ((nint)(shape.Heads + kvHead) * shape.HeadDim);
        var valueAt = keyAt + ((nint)shape.KvHeads * shape.HeadDim);
        var room = new Room(plan, (float*)memory[worker]);
        plan.PackAcross(qkv + keyAt, shape.QkvWidth, shape.Length, room.KeysAcross);
        plan.PackAlong(qkv + keyAt, shape.QkvWidth, shape.Length, room.KeysAlong);
        plan.PackAcross(qkv + valueAt, shape.QkvWidth, shape.Length, room.ValuesAcross);
        new Span<float>(room.DKeys, 2 * plan.HeadFloats).Clear();

        var perGroup = shape.Heads / shape.KvHeads;
        for (var head = kvHead * perGroup; head < (kvHead + 1) * perGroup; head++)
        {
            for (var first = 0; first < shape.Length; first += AttentionPlan.RowBlock)
            {
                Block(room, sequence, head, first, Math.Min(AttentionPlan.RowBlock, shape.Length - first));
            }
        }

        plan.CopyOut(room.DKeys, shape.Length, dQkv + keyAt, shape.QkvWidth);
        plan.CopyOut(room.DValues, shape.Length, dQkv + valueAt, shape.QkvWidth);
    }

    private void Block(in Room room, int sequence, int head, int first, int count)
    {
        var shape = plan.Shape;
        var row = ((nint)sequence * shape.Length) + first;
        var queryAt = (row * shape.QkvWidth) + ((nint)head * shape.HeadDim);
        var outAt = (row * shape.OutWidth) + ((nint)head * shape.HeadDim);
        plan.CopyIn(qkv + queryAt, shape.QkvWidth, count, room.Queries);
        plan.CopyIn(dOutput + outAt, shape.OutWidth, count, room.DOutputs);
        CausalProducts.Scores(plan, room.Queries, room.KeysAcross, room.Shares, first, count);
        CausalProducts.Scores(plan, room.DOutputs, room.ValuesAcross, room.DScores, first, count);

        var blockLse = lse + ((((nint)sequence * shape.Heads) + head) * shape.Length) + first;
        for (var i = 0; i < count; i++)
        {
            var delta = AttentionRows.Dot(dOutput + outAt + ((nint)i * shape.OutWidth), output + outAt + ((nint)i * shape.OutWidth), shape.HeadDim);
            var scores = (nint)i * plan.ScoreWidth;
            AttentionRows.Gradients(room.Shares + scores, room.DScores + scores, first + i + 1, plan.Scale, blockLse[i], delta);
        }

        plan.PackAlong(dOutput + outAt, shape.OutWidth, count, room.Panels);
        CausalProducts.SumOverQueries(plan, room.Shares, room.Panels, room.DValues, first, count);
        plan.PackAlong(qkv + queryAt, shape.QkvWidth, count, room.Panels);
        CausalProducts.SumOverQueries(plan, room.DScores, room.Panels, room.DKeys, first, count);
        CausalProducts.SumOverKeys(plan, room.DScores, room.KeysAlong, room.DQueries, first, count);
        plan.CopyOut(room.DQueries, count, dQkv + queryAt, shape.QkvWidth);
    }

    /// <summary>A worker's memory, cut into its parts.</summary>
    private readonly struct Room(in AttentionPlan plan, float* memory)
    {
        public readonly float* KeysAcross = memory;
        public readonly float* KeysAlong = memory + plan.PanelFloats;
        public readonly float* ValuesAcross = memory + (2 * plan.PanelFloats);
        public readonly float* DKeys = memory + (3 * plan.PanelFloats);
        public readonly float* DValues = memory + (3 * plan.PanelFloats) + plan.HeadFloats;
        public readonly float* Shares = memory + (3 * plan.PanelFloats) + (2 * plan.HeadFloats);
        public readonly float* DScores = memory + (3 * plan.PanelFloats) + (2 * plan.HeadFloats) + plan.ScoreFloats;
        public readonly float* Queries = memory + plan.BackwardFloats - (4 * plan.BlockFloats);
        public readonly float* DOutputs = memory + plan.BackwardFloats - (3 * plan.BlockFloats);
        public readonly float* DQueries = memory + plan.BackwardFloats - (2 * plan.BlockFloats);
        public readonly float* Panels = memory + plan.BackwardFloats - plan.BlockFloats;
    }
}
