using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Compute;

/// <content>The table of token vectors.</content>
public sealed unsafe partial class CpuKernels
{
    // The gradient is shared out by columns, so that every element gets its rows in order: 256 bytes, whole cache lines.
    private const int EmbedColumns = 64;

    /// <inheritdoc/>
    public void Embed(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> tableVD, Span<float> xRD, int dim)
    {
        Invariant.Check(xRD.Length == (long)tokensR.Length * dim && tableVD.Length % dim == 0);
        fixed (int* tokens = tokensR)
        fixed (float* table = tableVD, x = xRD)
        {
            var work = new EmbedWork(tokens, table, x, tokensR.Length, dim, tableVD.Length / dim);
            _pool.Run(ref work, Blocks(tokensR.Length, RowBlock));
        }
    }

    /// <inheritdoc/>
    public void EmbedBackward(ReadOnlySpan<int> tokensR, ReadOnlySpan<float> dxRD, Span<float> dTableVD, int dim)
    {
        Invariant.Check(dxRD.Length == (long)tokensR.Length * dim && dTableVD.Length % dim == 0);
        fixed (int* tokens = tokensR)
        fixed (float* dx = dxRD, dTable = dTableVD)
        {
            var work = new EmbedBackwardWork(tokens, dx, dTable, tokensR.Length, dim, dTableVD.Length / dim);
            _pool.Run(ref work, Blocks(dim, EmbedColumns));
        }
    }

    private readonly struct EmbedWork(int* tokens, float* table, float* x, int rows, int dim, int vocab) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(rows, (item + 1) * RowBlock);
            for (var r = item * RowBlock; r < end; r++)
            {
                Invariant.Check((uint)tokens[r] < (uint)vocab);
                new Span<float>(table + ((nint)tokens[r] * dim), dim).CopyTo(new Span<float>(x + ((nint)r * dim), dim));
            }
        }
    }

    private readonly struct EmbedBackwardWork(int* tokens, float* dx, float* dTable, int rows, int dim, int vocab) : IWork
    {
        public void Run(int item, int worker)
        {
            var at = item * EmbedColumns;
            var width = Math.Min(EmbedColumns, dim - at);
            for (var r = 0; r < rows; r++)
            {
                Invariant.Check((uint)tokens[r] < (uint)vocab);
                Add(dx + ((nint)r * dim) + at, dTable + ((nint)tokens[r] * dim) + at, width);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add(float* dx, float* dRow, int width)
        {
            var whole = Lanes.Whole(width);
            for (var i = 0; i < whole; i += Lanes.Count)
            {
                (Vector512.Load(dRow + i) + Vector512.Load(dx + i)).Store(dRow + i);
            }

            for (var i = whole; i < width; i++)
            {
                dRow[i] += dx[i];
            }
        }
    }
}
