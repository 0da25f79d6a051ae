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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static double Block(float* numbers, int count)
        {
            var whole = Lanes.Whole(count);
            var (lower, upper) = (Vector512<double>.Zero, Vector512<double>.Zero);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                Add(Vector512.Load(numbers + i), ref lower, ref upper);
            }

            if (whole < count)
            {
                Add(Lanes.LoadEnd(numbers + whole, count - whole), ref lower, ref upper);
            }

            return Lanes.Sum(lower + upper);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Add(Vector512<float> x, ref Vector512<double> lower, ref Vector512<double> upper)
        {
            var (a, b) = (Vector512.WidenLower(x), Vector512.WidenUpper(x));
            lower = Vector512.FusedMultiplyAdd(a, a, lower);
            upper = Vector512.FusedMultiplyAdd(b, b, upper);
        }
    }
}
