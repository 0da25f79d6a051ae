using Cairn.Base;

namespace Cairn.Compute;

/// <content>Causal attention. A work item is one (sequence, key/value head); inside it, blocks of query rows go against all keys
/// up to the diagonal.</content>
public sealed unsafe partial class CpuKernels
{
    private readonly Scratch[] _attentionScratch;
    private readonly nint[] _attentionMemory;

    /// <inheritdoc/>
    public void Attention(ReadOnlySpan<float> qkv, Span<float> outR, Span<float> lse, in AttentionShape shape)
    {
        CheckAttention(shape, qkv.Length, outR.Length, lse.Length);
        var plan = new AttentionPlan(shape);
        TakeAttentionMemory(plan.ForwardFloats);
        fixed (float* qkvRows = qkv, outRows = outR, lseRows = lse)
        {
            var work = new AttentionForward(plan, qkvRows, outRows, lseRows, _attentionMemory);
            _pool.Run(ref work, shape.Batch * shape.KvHeads);
        }
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        ReadOnlySpan<float> dOutR, ReadOnlySpan<float> qkv, ReadOnlySpan<float> outR, ReadOnlySpan<float> lse, Span<float> dQkv, in AttentionShape shape)
    {
        CheckAttention(shape, qkv.Length, outR.Length, lse.Length);
        Invariant.Check(dOutR.Length == outR.Length && dQkv.Length == qkv.Length);
        var plan = new AttentionPlan(shape);
        TakeAttentionMemory(plan.BackwardFloats);
        fixed (float* dOutRows = dOutR, qkvRows = qkv, outRows = outR, lseRows = lse, dQkvRows = dQkv)
        {
            var work = new AttentionBackwardWork(plan, dOutRows, qkvRows, outRows, lseRows, dQkvRows, _attentionMemory);
            _pool.Run(ref work, shape.Batch * shape.KvHeads);
        }
    }

    private static void CheckAttention(in AttentionShape shape, int qkvLength, int outLength, int lseLength)
    {
        Invariant.Check(shape.Heads % shape.KvHeads == 0 && shape.HeadDim % 2 == 0);
        Invariant.Check(qkvLength == (long)shape.Rows * shape.QkvWidth);
        Invariant.Check(outLength == (long)shape.Rows * shape.OutWidth && lseLength == (long)shape.Rows * shape.Heads);
    }

    private void TakeAttentionMemory(int floats)
    {
        for (var i = 0; i < _attentionScratch.Length; i++)
        {
            _attentionMemory[i] = (nint)_attentionScratch[i].Take(floats);
        }
    }
}
