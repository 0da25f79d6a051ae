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
            Block(parameters + at, gradients + at, moment1 + at, moment2 + at, Math.Min(AdamWBlock, length - (item * AdamWBlock)), new Factors(step));
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Block(float* parameters, float* gradients, float* moment1, float* moment2, int count, in Factors factors)
        {
            var whole = Lanes.Whole(count);
            var f = factors;
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                var (p, m, v) = (Vector512.Load(parameters + i), Vector512.Load(moment1 + i), Vector512.Load(moment2 + i));
                Step(ref p, Vector512.Load(gradients + i), ref m, ref v, f);
                p.Store(parameters + i);
                m.Store(moment1 + i);
                v.Store(moment2 + i);
            }

            if (whole < count)
            {
                var rest = count - whole;
                var (p, m, v) = (Lanes.LoadEnd(parameters + whole, rest), Lanes.LoadEnd(moment1 + whole, rest), Lanes.LoadEnd(moment2 + whole, rest));
                Step(ref p, Lanes.LoadEnd(gradients + whole, rest), ref m, ref v, f);
                Lanes.StoreEnd(p, parameters + whole, rest);
                Lanes.StoreEnd(m, moment1 + whole, rest);
                Lanes.StoreEnd(v, moment2 + whole, rest);
            }
        }

        /// <summary>m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p − η·(m̂/(√v̂ + ε) + λp), the last product fused so that a small decay is not lost.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Step(
            ref Vector512<float> p, Vector512<float> gradient, ref Vector512<float> m, ref Vector512<float> v, in Factors f)
        {
            var g = gradient * Vector512.Create(f.GradientScale);
            m = Vector512.FusedMultiplyAdd(m, Vector512.Create(f.Beta1), g * Vector512.Create(f.Rest1));
            v = Vector512.FusedMultiplyAdd(v, Vector512.Create(f.Beta2), g * g * Vector512.Create(f.Rest2));
            var root = Vector512.Sqrt(v * Vector512.Create(f.Inverse2)) + Vector512.Create(f.Epsilon);
            var direction = m * Vector512.Create(f.Inverse1) / root;
            p = Vector512.FusedMultiplyAdd(Vector512.Create(-f.Rate), Vector512.FusedMultiplyAdd(p, Vector512.Create(f.Decay), direction), p);
        }
    }

    /// <summary>What every element is multiplied by, derived once.</summary>
    private readonly struct Factors(in AdamWStep step)
    {
        public readonly float GradientScale = step.GradientScale;
        public readonly float Beta1 = step.Beta1;
        public readonly float Rest1 = 1 - step.Beta1;
        public readonly float Beta2 = step.Beta2;
        public readonly float Rest2 = 1 - step.Beta2;
        public readonly float Inverse1 = 1 / step.Correction1;
        public readonly float Inverse2 = 1 / step.Correction2;
        public readonly float Epsilon = step.Epsilon;
        public readonly float Decay = step.WeightDecay;
        public readonly float Rate = step.LearningRate;
    }
}
