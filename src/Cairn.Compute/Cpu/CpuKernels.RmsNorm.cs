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
        var partial = _normScratch.Take(checked(GainPartitions * stride));
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

        private static float Row(float* x, float* gain, float* y, int dim, float epsilon)
        {
            var whole = Lanes.Whole(dim);
            var rest = dim - whole;
            var end = stackalloc float[3 * Lanes.Count];
            var sums = Squares(x, whole, Vector512<float>.Zero);
            if (rest > 0)
            {
                Lanes.Pad(x + whole, rest, end);
                Lanes.Pad(gain + whole, rest, end + Lanes.Count);
                sums = Squares(end, Lanes.Count, sums);
            }

            var inverse = 1 / MathF.Sqrt((Lanes.Sum(sums) / dim) + epsilon);
            Scale(x, gain, y, whole, inverse);
            if (rest > 0)
            {
                Scale(end, end + Lanes.Count, end + (2 * Lanes.Count), Lanes.Count, inverse);
                Lanes.Unpad(end + (2 * Lanes.Count), rest, y + whole);
            }

            return inverse;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<float> Squares(float* x, int count, Vector512<float> sums)
        {
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var lanes = Vector512.Load(x + i);
                sums = Vector512.FusedMultiplyAdd(lanes, lanes, sums);
            }

            return sums;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scale(float* x, float* gain, float* y, int count, float inverse)
        {
            var factor = Vector512.Create(inverse);
            for (var i = 0; i < count; i += Lanes.Count)
            {
                (Vector512.Load(x + i) * factor * Vector512.Load(gain + i)).Store(y + i);
            }
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
        private static void Row(float* dy, float* x, float* gain, float inverse, float* dx, float* dGain, int dim)
        {
            var whole = Lanes.Whole(dim);
            var rest = dim - whole;
            var end = stackalloc float[4 * Lanes.Count];
            float* endDy = end, endX = end + Lanes.Count, endGain = end + (2 * Lanes.Count), endDx = end + (3 * Lanes.Count);
            var sums = Inner(dy, x, gain, dGain, whole, inverse, Vector512<float>.Zero);
            if (rest > 0)
            {
                Lanes.Pad(dy + whole, rest, endDy);
                Lanes.Pad(x + whole, rest, endX);
                Lanes.Pad(gain + whole, rest, endGain);
                Lanes.Pad(dx + whole, rest, endDx);
                sums = Inner(endDy, endX, endGain, dGain + whole, Lanes.Count, inverse, sums);
            }

            var through = -Lanes.Sum(sums) * inverse * inverse * inverse / dim;
            Add(dy, x, gain, dx, whole, inverse, through);
            if (rest > 0)
            {
                Add(endDy, endX, endGain, endDx, Lanes.Count, inverse, through);
                Lanes.Unpad(endDx, rest, dx + whole);
            }
        }

        /// <summary>⟨g∘dy, x⟩ by lanes; adds to the gain's gradient on the way.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<float> Inner(float* dy, float* x, float* gain, float* dGain, int count, float inverse, Vector512<float> sums)
        {
            var factor = Vector512.Create(inverse);
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var product = Vector512.Load(dy + i) * Vector512.Load(x + i);
                sums = Vector512.FusedMultiplyAdd(product, Vector512.Load(gain + i), sums);
                Vector512.FusedMultiplyAdd(product, factor, Vector512.Load(dGain + i)).Store(dGain + i);
            }

            return sums;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add(float* dy, float* x, float* gain, float* dx, int count, float inverse, float through)
        {
            var (straights, throughs) = (Vector512.Create(inverse), Vector512.Create(through));
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var sum = Vector512.FusedMultiplyAdd(Vector512.Load(dy + i) * Vector512.Load(gain + i), straights, Vector512.Load(dx + i));
                Vector512.FusedMultiplyAdd(throughs, Vector512.Load(x + i), sum).Store(dx + i);
            }
        }
    }
}
