using System.Runtime.CompilerServices;

namespace Cairn.Compute;

/// <summary>Large products with factors rounded to bf16 while they are packed; inputs and outputs stay fp32. Not bit-portable.</summary>
internal sealed unsafe class Bf16MatMul : IDisposable
{
    // Below these the rounding and packing cost more than the products save.
    private const int LeastRows = 48, LeastColumns = 64, LeastDepth = 64;

    // As many bytes of a packed panel as the fp32 kernels use.
    private const int Depth = 2 * KBlocking.Longest;
    private const int Columns = Bf16KernelCode.Columns;
    private const int Rows = Bf16KernelCode.RowsMax;

    private readonly Bf16Kernel _kernel;
    private readonly WorkPool _pool;
    private readonly Scratch _right = new();
    private readonly Scratch[] _own;

    /// <summary>Works on the pool's threads.</summary>
    internal Bf16MatMul(WorkPool pool, Bf16Kernel kernel)
    {
        (_pool, _kernel) = (pool, kernel);
        _own = new Scratch[pool.Threads];
        for (var i = 0; i < _own.Length; i++)
        {
            _own[i] = new Scratch();
        }
    }

    /// <summary>Whether a product is large enough to gain.</summary>
    internal static bool Pays(in Product product) => product.M >= LeastRows && product.N >= LeastColumns && product.K >= LeastDepth;

    /// <summary>C = op(A)·op(B), or added to.</summary>
    internal void Multiply(in Product product)
    {
        for (var column = 0; column < product.N; column += BlockWork.ColumnsMax)
        {
            var columns = Math.Min(BlockWork.ColumnsMax, product.N - column);
            var panels = (uint*)_right.Take(RoundUp(columns, Columns) * Bf16Packing.Pairs(Math.Min(product.K, Depth)));
            for (var first = 0; first < product.K; first += Depth)
            {
                MultiplyBlock(product.Part(column, columns, first, Math.Min(Depth, product.K - first)), panels);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _right.Dispose();
        foreach (var scratch in _own)
        {
            scratch.Dispose();
        }
    }

    private static int RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * multiple;

    private void MultiplyBlock(in Product part, uint* panels)
    {
        var pack = new PackItem(part, _own, panels);
        foreach (var scratch in _own)
        {
            // All alike, whatever items chance gives them: a call of a known size allocates nothing.
            scratch.Take(Math.Max(PackItem.ScratchLength(part.K), BlockItem.ScratchLength(BlockWork.RowsMax, part.K)));
        }

        _pool.Run(ref pack, (part.N + PackItem.Lines - 1) / PackItem.Lines);
        var rows = RoundUp((part.M + (BlockWork.BlocksPerThread * _pool.Threads) - 1) / (BlockWork.BlocksPerThread * _pool.Threads), Rows);
        rows = Math.Clamp(_pool.Threads == 1 ? part.M : rows, 2 * Rows, BlockWork.RowsMax);
        var multiply = new BlockItem(part, _kernel, _own, panels, rows);
        _pool.Run(ref multiply, (part.M + rows - 1) / rows);
    }

    private readonly struct PackItem(Product part, Scratch[] own, uint* panels) : IWork
    {
        internal const int Lines = 4 * Columns;

        internal static int ScratchLength(int k) => Bf16Packing.ScratchLength(Lines, k);

        public void Run(int item, int worker)
        {
            var line = item * Lines;
            var lines = Math.Min(Lines, part.N - line);
            var scratch = (uint*)own[worker].Take(ScratchLength(part.K));
            Bf16Packing.Pack(part.B.From(line, 0), lines, part.K, Columns, panels + ((nint)line * Bf16Packing.Pairs(part.K)), scratch);
        }
    }

    private readonly struct BlockItem(Product part, Bf16Kernel kernel, Scratch[] own, uint* panels, int rows) : IWork
    {
        // Packed a few panels at a time, so that the rounded lines are still near when they are turned.
        private const int PackRows = 4 * Rows;

        internal static int ScratchLength(int rows, int k) => (RoundUp(rows, Rows) + PackRows) * Bf16Packing.Pairs(k);

        public void Run(int item, int worker)
        {
            var first = item * rows;
            var count = Math.Min(rows, part.M - first);
            var pairs = Bf16Packing.Pairs(part.K);
            var left = (uint*)own[worker].Take(ScratchLength(count, part.K));
            var scratch = left + ((nint)RoundUp(count, Rows) * pairs);
            for (var row = 0; row < count; row += PackRows)
            {
                Pack(part.A.From(first + row, 0), Math.Min(PackRows, count - row), left + ((nint)row * pairs), scratch);
            }

            for (var column = 0; column < part.N; column += Columns)
            {
                var panel = panels + ((nint)column * pairs);
                for (var row = 0; row < count; row += Rows)
                {
                    var c = part.C + ((first + row) * part.CStride) + column;
                    Tile(left + ((nint)row * pairs), panel, c, Math.Min(Rows, count - row), Math.Min(Columns, part.N - column), pairs);
                }
            }
        }

        /// <summary>Whole panels together, a ragged last one at its own height.</summary>
        private void Pack(MatrixView source, int lines, uint* left, uint* scratch)
        {
            var whole = lines / Rows * Rows;
            if (whole > 0)
            {
                Bf16Packing.Pack(source, whole, part.K, Rows, left, scratch);
            }

            if (whole < lines)
            {
                var height = Bf16Kernel.Height(lines - whole);
                Bf16Packing.Pack(source.From(whole, 0), lines - whole, part.K, height, left + ((nint)whole * Bf16Packing.Pairs(part.K)), scratch);
            }
        }

        [SkipLocalsInit]
        private void Tile(uint* a, uint* b, float* c, int existingRows, int existingColumns, int pairs)
        {
            var height = Bf16Kernel.Height(existingRows);
            if (height == existingRows && existingColumns == Columns)
            {
                kernel.Run(height, pairs, a, b, c, part.CStride, part.Accumulate);
                return;
            }

            var tile = stackalloc float[Rows * Columns];
            kernel.Run(height, pairs, a, b, tile, Columns, accumulate: false);
            TileEdge.Store(tile, Columns, existingRows, existingColumns, c, part.CStride, part.Accumulate);
        }
    }
}
