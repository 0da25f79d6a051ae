using Cairn.Base;

namespace Cairn.Compute;

/// <content>Products with a matrix laid out for inference: one row of activations costs one reading of the matrix, several share it.</content>
public sealed unsafe partial class CpuKernels
{
    // Groups of matrix rows of one work item: 64 rows, with 1024 columns 256 KB in fp32, which stay in the second cache while rows of activations pass.
    private const int GroupBlock = 16;

    // Columns that a tile sums in registers before the sums are added to y: two rows of tiles then fit the first cache.
    private const int ColumnBlock = 1024;

    private readonly Scratch _activationScratch = new();

    /// <summary>y[M,N] = x[M,K] · w[N,K]ᵀ (added to y when <paramref name="accumulate"/>). A row's result has the same bits whatever other rows are given.</summary>
    /// <param name="w">The matrix.</param>
    /// <param name="xMK">Activations.</param>
    /// <param name="yMN">Results.</param>
    /// <param name="m">Rows.</param>
    /// <param name="accumulate">Whether y is added to.</param>
    public void Multiply(PackedMatrix w, ReadOnlySpan<float> xMK, Span<float> yMN, int m, bool accumulate)
    {
        Invariant.Check(m > 0 && xMK.Length == (long)m * w.Columns && yMN.Length == (long)m * w.Rows);
        fixed (float* x = xMK, y = yMN)
        {
            var stride = RowStride(w);
            var rows = Prepare(w, x, m, stride);
            var items = Blocks(w.Groups, GroupBlock);
            switch (w.Precision)
            {
                case MatrixPrecision.F32:
                    var plain = new MultiplyWork<F32Lanes>(w, (float*)rows, stride / sizeof(float), y, m, accumulate);
                    _pool.Run(ref plain, items);
                    break;
                case MatrixPrecision.Bf16:
                    var half = new MultiplyWork<Bf16Lanes>(w, (float*)rows, stride / sizeof(float), y, m, accumulate);
                    _pool.Run(ref half, items);
                    break;
                default:
                    var bytes = new MultiplyInt8Work(w, rows, stride, y, m, accumulate);
                    _pool.Run(ref bytes, items);
                    break;
            }
        }
    }

    // Bytes between rows as the tiles want them: in 8 bits, or whole vectors.
    private static nint RowStride(PackedMatrix w) =>
        w.Precision == MatrixPrecision.Int8 ? Int8Activations.RowBytes(w.Steps) : (nint)Lanes.RoundUp(w.Columns) * sizeof(float);

    private byte* Prepare(PackedMatrix w, float* x, int m, nint stride)
    {
        if (w.Precision != MatrixPrecision.Int8 && w.Columns % Lanes.Count == 0)
        {
            return (byte*)x;
        }

        var rows = (byte*)_activationScratch.Take(checked((int)(m * stride / sizeof(float))));
        var work = new PrepareRowsWork(x, w.Columns, w.Precision == MatrixPrecision.Int8, rows, stride);
        _pool.Run(ref work, m);
        return rows;
    }

    // Where the last group is padded, a tile goes through here.
    private static void CopyTile(float* tile, int rows, float* y, nint yRow, int columns, bool add)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                var at = y + (row * yRow) + column;
                *at = add ? *at + tile[(row * PackedMatrix.GroupRows) + column] : tile[(row * PackedMatrix.GroupRows) + column];
            }
        }
    }

    private readonly struct PrepareRowsWork(float* x, int columns, bool round, byte* to, nint rowBytes) : IWork
    {
        public void Run(int item, int worker)
        {
            var from = x + ((nint)item * columns);
            var row = to + (item * rowBytes);
            if (round)
            {
                Int8Activations.Write(from, columns, row);
                return;
            }

            new Span<byte>(row, (int)rowBytes).Clear();
            new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(row, columns));
        }
    }

    private readonly struct MultiplyWork<T>(PackedMatrix w, float* x, nint xRow, float* y, int m, bool accumulate) : IWork
        where T : struct, IMatrixLanes
    {
        public void Run(int item, int worker)
        {
            var first = item * GroupBlock;
            var end = Math.Min(w.Groups, first + GroupBlock);
            var steps = ColumnBlock / Lanes.Count;
            for (var step = 0; step < w.Steps; step += steps)
            {
                Columns(first, end, step, Math.Min(steps, w.Steps - step));
            }
        }

        // Few rows: each group are read once from memory, then all rows pass. Many rows: six stay in the first cache, and all groups pass.
        private void Columns(int first, int end, int step, int steps)
        {
            if (m <= 2 * RowTiles<T>.RowsMax)
            {
                for (var group = first; group < end; group++)
                {
                    for (var row = 0; row < m; row += Height(row))
                    {
                        Tile(group, row, Height(row), step, steps);
                    }
                }

                return;
            }

            for (var row = 0; row < m; row += Height(row))
            {
                for (var group = first; group < end; group++)
                {
                    Tile(group, row, Height(row), step, steps);
                }
            }
        }

        // Of seven or eight rows left, four and the rest: two tiles of like height cost less than one that is low.
        private int Height(int row)
        {
            var left = m - row;
            return left is 7 or 8 ? 4 : Math.Min(left, RowTiles<T>.RowsMax);
        }

        private void Tile(int group, int row, int rows, int step, int steps)
        {
            var numbers = w.Group(group) + ((nint)step * w.StepBytes);
            var from = x + (row * xRow) + ((nint)step * Lanes.Count);
            var to = y + ((nint)row * w.Rows) + (group * PackedMatrix.GroupRows);
            var columns = w.Rows - (group * PackedMatrix.GroupRows);
            var add = accumulate || step > 0;
            if (columns >= PackedMatrix.GroupRows)
            {
                RowTiles<T>.Run(rows, steps, numbers, from, xRow, to, w.Rows, add);
                return;
            }

            var tile = stackalloc float[RowTiles<T>.RowsMax * PackedMatrix.GroupRows];
            RowTiles<T>.Run(rows, steps, numbers, from, xRow, tile, PackedMatrix.GroupRows, add: false);
            CopyTile(tile, rows, to, w.Rows, columns, add);
        }
    }

    private readonly struct MultiplyInt8Work(PackedMatrix w, byte* x, nint xRow, float* y, int m, bool accumulate) : IWork
    {
        public void Run(int item, int worker)
        {
            var end = Math.Min(w.Groups, (item + 1) * GroupBlock);
            for (var group = item * GroupBlock; group < end; group++)
            {
                for (var row = 0; row < m; row += Int8Tiles.RowsMax)
                {
                    Tile(group, row, Math.Min(Int8Tiles.RowsMax, m - row));
                }
            }
        }

        private void Tile(int group, int row, int rows)
        {
            var scales = w.Group(group);
            var numbers = scales + w.ScaleBytes;
            var from = x + (row * xRow);
            var to = y + ((nint)row * w.Rows) + (group * PackedMatrix.GroupRows);
            var columns = w.Rows - (group * PackedMatrix.GroupRows);
            if (columns >= PackedMatrix.GroupRows)
            {
                Int8Tiles.Run(rows, w.Steps, (ushort*)scales, numbers, from, xRow, to, w.Rows, accumulate);
                return;
            }

            var tile = stackalloc float[Int8Tiles.RowsMax * PackedMatrix.GroupRows];
            Int8Tiles.Run(rows, w.Steps, (ushort*)scales, numbers, from, xRow, tile, PackedMatrix.GroupRows, add: false);
            CopyTile(tile, rows, to, w.Rows, columns, accumulate);
        }
    }
}
