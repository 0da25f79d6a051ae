using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Cairn.Compute;

/// <content>The sum behind a global norm.</content>
public sealed unsafe partial class CpuKernels
{
    private const int SquaresBlock = 1 << 14;

    private double[] _squares = [];

    /// <inheritdoc/>
    public double SumOfSquares(ReadOnlySpan<float> x)
    {
        var blocks = Blocks(x.Length, SquaresBlock);
        if (_squares.Length < blocks)
        {
            _squares = new double[blocks];
        }

        fixed (float* numbers = x)
        fixed (double* squares = _squares)
        {
            var work = new SquaresWork(numbers, squares, x.Length);
            _pool.Run(ref work, blocks);
        }

        var sum = 0.0;
        for (var i = 0; i < blocks; i++)
        {
            sum += _squares[i];
        }

        return sum;
    }

    private readonly struct SquaresWork(float* numbers, double* squares, int length) : IWork
    {
        public void Run(int item, int worker) =>
            squares[item] = Block(numbers + ((nint)item * SquaresBlock), Math.Min(SquaresBlock, length - (item * SquaresBlock)));

        private static double Block(float* numbers, int count)
        {
            var whole = Lanes.Whole(count);
            var sums = Squares(numbers, whole, Vector512<double>.Zero);
            if (whole < count)
            {
                var end = stackalloc float[Lanes.Count];
                Lanes.Pad(numbers + whole, count - whole, end);
                sums = Squares(end, Lanes.Count, sums);
            }

            return Lanes.Sum(sums);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static Vector512<double> Squares(float* numbers, int count, Vector512<double> lower)
        {
            var upper = Vector512<double>.Zero;
            for (var i = 0; i < count; i += Lanes.Count)
            {
                var (a, b) = Vector512.Widen(Vector512.Load(numbers + i));
                lower = Vector512.FusedMultiplyAdd(a, a, lower);
                upper = Vector512.FusedMultiplyAdd(b, b, upper);
            }

            return lower + upper;
        }
    }
}
