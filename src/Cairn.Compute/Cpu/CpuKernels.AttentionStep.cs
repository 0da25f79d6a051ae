using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>Attention of one new token, for generation: bound by reading the cache once.</content>
public sealed unsafe partial class CpuKernels
{
    /// <inheritdoc/>
    public void AttentionStep(
        ReadOnlySpan<float> q, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> outHE, int length, in AttentionShape shape)
    {
        var width = (long)shape.KvHeads * shape.HeadDim;
        Invariant.Check(shape.Heads % shape.KvHeads == 0 && length > 0 && q.Length == shape.OutWidth && outHE.Length == shape.OutWidth);
        Invariant.Check(keys.Length >= length * width && values.Length >= length * width);
        TakeAttentionMemory(Lanes.RoundUp(length) + (2 * Lanes.Count) + Lanes.RoundUp(shape.HeadDim));
        fixed (float* query = q, keyRows = keys, valueRows = values, output = outHE)
        {
            var work = new AttentionStepWork(query, keyRows, valueRows, output, length, shape, _attentionMemory);
            _pool.Run(ref work, shape.Heads);
        }
    }

    private readonly struct AttentionStepWork(
        float* q, float* keys, float* values, float* output, int length, AttentionShape shape, nint[] memory) : IWork
    {
        public void Run(int item, int worker)
        {
            var dim = shape.HeadDim;
            var stride = (nint)shape.KvHeads * dim;
            var kvAt = item / (shape.Heads / shape.KvHeads) * dim;
            var scores = (float*)memory[worker];
            var sums = scores + Lanes.RoundUp(length) + (2 * Lanes.Count);
            for (var t = 0; t < length; t++)
            {
                scores[t] = AttentionRows.Dot(q + ((nint)item * dim), keys + (t * stride) + kvAt, dim);
            }

            AttentionRows.Powers(scores, length, 1 / MathF.Sqrt(dim), out var sum);
            new Span<float>(sums, Lanes.RoundUp(dim)).Clear();
            for (var t = 0; t < length; t++)
            {
                Add(scores[t], values + (t * stride) + kvAt, sums, dim);
            }

            AttentionRows.Scale(sums, 1 / sum, output + ((nint)item * dim), dim);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add(float share, float* value, float* sums, int dim)
        {
            var whole = Lanes.Whole(dim);
            var shares = Vector512.Create(share);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                Vector512.FusedMultiplyAdd(shares, Vector512.Load(value + i), Vector512.Load(sums + i)).Store(sums + i);
            }

            for (var i = whole; i < dim; i++)
            {
                sums[i] = MathF.FusedMultiplyAdd(share, value[i], sums[i]);
            }
        }
    }
}
