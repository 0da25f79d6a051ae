using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>Root-mean-square norm.</content>
public sealed unsafe partial class CpuKernels
{
    // The gain's gradient is summed over this many ranges of rows, whatever the thread count, then over the ranges in order.
    private const int GainPartitions = 32;

    private readonly Scratch _normScratch = new();

    /// <inheritdoc/>
    public void RmsNorm(ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, Span<float> yRD, Span<float> inverseRmsR, int rows, int dim, float epsilon)
    {
        Invariant.Check(xRD.Length == (long)rows * dim && gainD.Length == dim && yRD.Length == xRD.Length && inverseRmsR.Length == rows);
        fixed (float* x = xRD, gain = gainD, y = yRD, inverse = inverseRmsR)
        {
            var work = new RmsNormWork(x, gain, y, inverse, rows, dim, epsilon);
            _pool.Run(ref work, Blocks(rows, RowBlock));
        }
    }

    /// <inheritdoc/>
    public void RmsNormBackward(
        ReadOnlySpan<float> dyRD, ReadOnlySpan<float> xRD, ReadOnlySpan<float> gainD, ReadOnlySpan<float> inverseRmsR,
        Span<float> dxRD, Span<float> dGainD, int rows, int dim)
    {
        Invariant.Check(dyRD.Length == (long)rows * dim && xRD.Length == dyRD.Length && dxRD.Length == dyRD.Length);
        Invariant.Check(gainD.Length == dim && dGainD.Length == dim && inverseRmsR.Length == rows);
        var stride = Lanes.RoundUp(dim);
        var partial = _normScratch.Take(GainPartitions * stride);
        fixed (float* dy = dyRD, x = xRD, gain = gainD, inverse = inverseRmsR, dx = dxRD, dGain = dGainD)
        {
            var work = new RmsNormBackwardWork(dy, x, gain, inverse, dx, partial, rows, dim);
            _pool.Run(ref work, GainPartitions);
            for (var i = 0; i < dim; i++)
            {
                var sum = 0f;
                for (var partition = 0; partition < GainPartitions; partition++)
                {
                    sum += partial[(partition * stride) + i];
                }

                dGain[i] = sum;
            }
        }
    }

    private readonly struct RmsNormWork(float* x, float* gain, float* y, float* inverseRms, int rows, int dim, float epsilon) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(rows, (item + 1) * RowBlock);
            for (var r = item * RowBlock; r < end; r++)
            {
                inverseRms[r] = Row(x + ((nint)r * dim), gain, y + ((nint)r * dim), dim, epsilon);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Row(float* x, float* gain, float* y, int dim, float epsilon)
        {
            var whole = Lanes.Whole(dim);
            var sums = Vector512<float>.Zero;
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                var lanes = Vector512.Load(x + i);
                sums = Vector512.FusedMultiplyAdd(lanes, lanes, sums);
            }

            if (whole < dim)
            {
                var lanes = Lanes.LoadEnd(x + whole, dim - whole);
                sums = Vector512.FusedMultiplyAdd(lanes, lanes, sums);
            }

            var inverse = 1 / MathF.Sqrt((Lanes.Sum(sums) / dim) + epsilon);
            var factor = Vector512.Create(inverse);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                (Vector512.Load(x + i) * factor * Vector512.Load(gain + i)).Store(y + i);
            }

            if (whole < dim)
            {
                var rest = dim - whole;
                Lanes.StoreEnd(Lanes.LoadEnd(x + whole, rest) * factor * Lanes.LoadEnd(gain + whole, rest), y + whole, rest);
            }

            return inverse;
        }
    }

    private readonly struct RmsNormBackwardWork(
        float* dy, float* x, float* gain, float* inverseRms, float* dx, float* partial, int rows, int dim) : IWork
    {
        public void Run(int item, int worker)
        {
            var dGain = partial + (item * Lanes.RoundUp(dim));
            new Span<float>(dGain, Lanes.RoundUp(dim)).Clear();
            var end = (int)((long)rows * (item + 1) / GainPartitions);
            for (var r = (int)((long)rows * item / GainPartitions); r < end; r++)
            {
                var at = (nint)r * dim;
                Row(dy + at, x + at, gain, inverseRms[r], dx + at, dGain, dim);
            }
        }

        /// <summary>With s = 1/rms: dx += s·g∘dy − x·s³·⟨g∘dy, x⟩/D and dGain += s·dy∘x.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Row(float* dy, float* x, float* gain, float inverse, float* dx, float* dGain, int dim)
        {
            var whole = Lanes.Whole(dim);
            var rest = dim - whole;
            var sums = Vector512<float>.Zero;
            var factor = Vector512.Create(inverse);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                var product = Vector512.Load(dy + i) * Vector512.Load(x + i);
                sums = Vector512.FusedMultiplyAdd(product, Vector512.Load(gain + i), sums);
                Vector512.FusedMultiplyAdd(product, factor, Vector512.Load(dGain + i)).Store(dGain + i);
            }

            if (rest > 0)
            {
                var product = Lanes.LoadEnd(dy + whole, rest) * Lanes.LoadEnd(x + whole, rest);
                sums = Vector512.FusedMultiplyAdd(product, Lanes.LoadEnd(gain + whole, rest), sums);
                Vector512.FusedMultiplyAdd(product, factor, Vector512.Load(dGain + whole)).Store(dGain + whole);
            }

            var through = Vector512.Create(-Lanes.Sum(sums) * inverse * inverse * inverse / dim);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                Through(Vector512.Load(dy + i), Vector512.Load(gain + i), Vector512.Load(x + i), Vector512.Load(dx + i), factor, through).Store(dx + i);
            }

            if (rest > 0)
            {
                var end = Through(
                    Lanes.LoadEnd(dy + whole, rest), Lanes.LoadEnd(gain + whole, rest), Lanes.LoadEnd(x + whole, rest), Lanes.LoadEnd(dx + whole, rest),
                    factor, through);
                Lanes.StoreEnd(end, dx + whole, rest);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector512<float> Through(
            Vector512<float> dy, Vector512<float> gain, Vector512<float> x, Vector512<float> dx, Vector512<float> factor, Vector512<float> through) =>
            Vector512.FusedMultiplyAdd(through, x, Vector512.FusedMultiplyAdd(dy * gain, factor, dx));
    }
}
