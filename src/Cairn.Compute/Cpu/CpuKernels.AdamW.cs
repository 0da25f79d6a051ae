using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>The optimizer's step: one pass of 16 bytes read and 12 written per parameter.</content>
public sealed unsafe partial class CpuKernels
{
    private const int AdamWBlock = 1 << 13;

    /// <inheritdoc/>
    public void AdamW(Span<float> parameters, ReadOnlySpan<float> gradients, Span<float> moment1, Span<float> moment2, in AdamWStep step)
    {
        Invariant.Check(gradients.Length == parameters.Length && moment1.Length == parameters.Length && moment2.Length == parameters.Length);
        fixed (float* p = parameters, g = gradients, m = moment1, v = moment2)
        {
            var work = new AdamWWork(p, g, m, v, parameters.Length, step);
            _pool.Run(ref work, Blocks(parameters.Length, AdamWBlock));
        }
    }

    private readonly struct AdamWWork(float* parameters, float* gradients, float* moment1, float* moment2, int length, AdamWStep step) : IWork
    {
        public void Run(int item, int worker)
        {
            var at = (nint)item * AdamWBlock;
            Block(parameters + at, gradients + at, moment1 + at, moment2 + at, Math.Min(AdamWBlock, length - (item * AdamWBlock)));
        }

        private void Block(float* parameters, float* gradients, float* moment1, float* moment2, int count)
        {
            var whole = Lanes.Whole(count);
            Step(parameters, gradients, moment1, moment2, whole, step);
            if (whole < count)
            {
                var rest = count - whole;
                var end = stackalloc float[4 * Lanes.Count];
                float* p = end, g = end + Lanes.Count, m = end + (2 * Lanes.Count), v = end + (3 * Lanes.Count);
                Lanes.Pad(parameters + whole, rest, p);
                Lanes.Pad(gradients + whole, rest, g);
                Lanes.Pad(moment1 + whole, rest, m);
                Lanes.Pad(moment2 + whole, rest, v);
                Step(p, g, m, v, Lanes.Count, step);
                Lanes.Unpad(p, rest, parameters + whole);
                Lanes.Unpad(m, rest, moment1 + whole);
                Lanes.Unpad(v, rest, moment2 + whole);
            }
        }

        /// <summary>m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p − η·(m̂/(√v̂ + ε) + λp),
        /// the last product fused so that a small decay is not lost.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Step(float* parameters, float* gradients, float* moment1, float* moment2, int count, in AdamWStep step)
        {
            var (beta1, rest1, inverse1) = (Vector512.Create(step.Beta1), Vector512.Create(1 - step.Beta1), Vector512.Create(1 / step.Correction1));
            var (beta2, rest2, inverse2) = (Vector512.Create(step.Beta2), Vector512.Create(1 - step.Beta2), Vector512.Create(1 / step.Correction2));
            var (scale, epsilon) = (Vector512.Create(step.GradientScale), Vector512.Create(step.Epsilon));
            var (rate, decay) = (Vector512.Create(-step.LearningRate), Vector512.Create(step.WeightDecay));
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var g = Vector512.Load(gradients + i) * scale;
                var m = Vector512.FusedMultiplyAdd(Vector512.Load(moment1 + i), beta1, g * rest1);
                var v = Vector512.FusedMultiplyAdd(Vector512.Load(moment2 + i), beta2, g * g * rest2);
                m.Store(moment1 + i);
                v.Store(moment2 + i);
                var direction = m * inverse1 / (Vector512.Sqrt(v * inverse2) + epsilon);
                var p = Vector512.Load(parameters + i);
                Vector512.FusedMultiplyAdd(rate, Vector512.FusedMultiplyAdd(p, decay, direction), p).Store(parameters + i);
            }
        }
    }
}
