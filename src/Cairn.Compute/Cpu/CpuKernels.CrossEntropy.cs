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
                var sum = replace ? ReplaceByPowers(row, vocab, highest) : SumOfPowers(row, vocab, highest);
                losses[r] = highest - ofTarget + LaneMath.Log(sum);
                if (replace)
                {
                    Scale(row, vocab, scale / sum);
                    row[targets[r]] -= scale;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float Highest(float* row, int length)
        {
            var whole = Lanes.Whole(length);
            var highest = Vector512.Create(float.NegativeInfinity);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                highest = Lanes.Larger(highest, Vector512.Load(row + i));
            }

            if (whole < length)
            {
                highest = Lanes.Larger(highest, Lanes.LoadEnd(row + whole, length - whole, float.NegativeInfinity));
            }

            return Lanes.Largest(highest);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float SumOfPowers(float* row, int length, float highest)
        {
            var whole = Lanes.Whole(length);
            var subtracted = Vector512.Create(highest);
            var sums = Vector512<float>.Zero;
            for (var first = 0; first < whole; first += SumLength)
            {
                var end = Math.Min(whole, first + SumLength);
                var part = Vector512<float>.Zero;
                for (var i = first; i < end; i += Lanes.Count)
                {
                    part += LaneMath.Exp(Vector512.Load(row + i) - subtracted);
                }

                sums += part;
            }

            if (whole < length)
            {
                sums += LaneMath.Exp(Lanes.LoadEnd(row + whole, length - whole, float.NegativeInfinity) - subtracted);
            }

            return Lanes.Sum(sums);
        }

        /// <summary>The same sum, to the bit; leaves e^(logit − highest) in the row.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static float ReplaceByPowers(float* row, int length, float highest)
        {
            var whole = Lanes.Whole(length);
            var subtracted = Vector512.Create(highest);
            var sums = Vector512<float>.Zero;
            for (var first = 0; first < whole; first += SumLength)
            {
                var end = Math.Min(whole, first + SumLength);
                var part = Vector512<float>.Zero;
                for (var i = first; i < end; i += Lanes.Count)
                {
                    var power = LaneMath.Exp(Vector512.Load(row + i) - subtracted);
                    power.Store(row + i);
                    part += power;
                }

                sums += part;
            }

            if (whole < length)
            {
                var power = LaneMath.Exp(Lanes.LoadEnd(row + whole, length - whole, float.NegativeInfinity) - subtracted);
                Lanes.StoreEnd(power, row + whole, length - whole);
                sums += power;
            }

            return Lanes.Sum(sums);
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
