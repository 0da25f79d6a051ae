using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>Softmax and cross-entropy in one, a row at a time: a row of logits stays in the near caches over its three passes.</content>
public sealed unsafe partial class CpuKernels
{
    private const int LossRowBlock = 4;

    /// <inheritdoc/>
    public void SoftmaxCrossEntropy(Span<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab, float scale)
    {
        Invariant.Check(logitsRV.Length == (long)rows * vocab && targetsR.Length == rows && lossesR.Length == rows);
        fixed (float* logits = logitsRV, losses = lossesR)
        fixed (int* targets = targetsR)
        {
            var work = new CrossEntropyWork(logits, targets, losses, rows, vocab, scale, replace: true);
            _pool.Run(ref work, Blocks(rows, LossRowBlock));
        }
    }

    /// <inheritdoc/>
    public void CrossEntropy(ReadOnlySpan<float> logitsRV, ReadOnlySpan<int> targetsR, Span<float> lossesR, int rows, int vocab)
    {
        Invariant.Check(logitsRV.Length == (long)rows * vocab && targetsR.Length == rows && lossesR.Length == rows);
        fixed (float* logits = logitsRV, losses = lossesR)
        fixed (int* targets = targetsR)
        {
            var work = new CrossEntropyWork(logits, targets, losses, rows, vocab, 0, replace: false);
            _pool.Run(ref work, Blocks(rows, LossRowBlock));
        }
    }

    private readonly struct CrossEntropyWork(float* logits, int* targets, float* losses, int rows, int vocab, float scale, bool replace) : IWork
    {
        // Sums of this many numbers are joined one after another: the error grows with the number of sums, not of logits.
        private const int SumLength = 1024;

        public void Run(int item, int worker)
        {
            var end = Math.Min(rows, (item + 1) * LossRowBlock);
            for (var r = item * LossRowBlock; r < end; r++)
            {
                var row = logits + ((nint)r * vocab);
                Invariant.Check((uint)targets[r] < (uint)vocab);
                var ofTarget = row[targets[r]];
                var highest = Highest(row, vocab);
                var sum = SumOfPowers(row, vocab, highest);
                losses[r] = highest - ofTarget + LaneMath.Log(sum);
                if (replace)
                {
                    Scale(row, vocab, scale / sum);
                    row[targets[r]] -= scale;
                }
            }
        }

        private static float Highest(float* row, int length)
        {
            var whole = Lanes.Whole(length);
            var highest = Highest(row, whole, Vector512.Create(float.NegativeInfinity));
            if (whole < length)
            {
                var end = stackalloc float[Lanes.Count];
                Lanes.Pad(row + whole, length - whole, end, float.NegativeInfinity);
                highest = Highest(end, Lanes.Count, highest);
            }

            return Lanes.Largest(highest);
        }

        /// <summary>By lanes; four chains at once, since a comparison takes several cycles.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<float> Highest(float* row, int count, Vector512<float> a)
        {
            var (b, c, d) = (a, a, a);
            var i = 0;
            for (; i + (4 * Lanes.Count) <= count; i += 4 * Lanes.Count)
            {
                a = Lanes.Larger(a, Vector512.Load(row + i));
                b = Lanes.Larger(b, Vector512.Load(row + i + Lanes.Count));
                c = Lanes.Larger(c, Vector512.Load(row + i + (2 * Lanes.Count)));
                d = Lanes.Larger(d, Vector512.Load(row + i + (3 * Lanes.Count)));
            }

            for (; i < count; i += Lanes.Count)
            {
                a = Lanes.Larger(a, Vector512.Load(row + i));
            }

            return Lanes.Larger(Lanes.Larger(a, b), Lanes.Larger(c, d));
        }

        /// <summary>Σ e^(logit − highest); leaves the powers in the row if it is to be replaced, with the same sum to the bit.</summary>
        private float SumOfPowers(float* row, int length, float highest)
        {
            var whole = Lanes.Whole(length);
            var sums = Vector512<float>.Zero;
            for (var first = 0; first < whole; first += SumLength)
            {
                var count = Math.Min(SumLength, whole - first);
                sums += replace ? ReplaceByPowers(row + first, count, highest) : Powers(row + first, count, highest);
            }

            if (whole < length)
            {
                var end = stackalloc float[Lanes.Count];
                Lanes.Pad(row + whole, length - whole, end, float.NegativeInfinity);
                sums += ReplaceByPowers(end, Lanes.Count, highest);
                if (replace)
                {
                    Lanes.Unpad(end, length - whole, row + whole);
                }
            }

            return Lanes.Sum(sums);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<float> Powers(float* row, int count, float highest)
        {
            var subtracted = Vector512.Create(highest);
            var sums = Vector512<float>.Zero;
            for (var i = 0; i < count; i += Lanes.Count)
            {
                sums += LaneMath.Exp(Vector512.Load(row + i) - subtracted);
            }

            return sums;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<float> ReplaceByPowers(float* row, int count, float highest)
        {
            var subtracted = Vector512.Create(highest);
            var sums = Vector512<float>.Zero;
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var power = LaneMath.Exp(Vector512.Load(row + i) - subtracted);
                power.Store(row + i);
                sums += power;
            }

            return sums;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Scale(float* row, int length, float factor)
        {
            var whole = Lanes.Whole(length);
            var factors = Vector512.Create(factor);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                (Vector512.Load(row + i) * factors).Store(row + i);
            }

            for (var i = whole; i < length; i++)
            {
                row[i] *= factor;
            }
        }
    }
}
