namespace Cairn.Compute;

/// <summary>One product, or a part of one.</summary>
internal readonly unsafe record struct Product(MatrixView A, MatrixView B, nint CAddress, nint CStride, int M, int N, int K, bool Accumulate)
{
    internal Product(MatrixView a, MatrixView b, float* c, nint cStride, int m, int n, int k, bool accumulate)
        : this(a, b, (nint)c, cStride, m, n, k, accumulate)
    {
    }

    /// <summary>First element of C.</summary>
    internal float* C => (float*)CAddress;

    /// <summary>The part with these columns of C and this block of k.</summary>
    internal Product Part(int column, int columns, int first, int depth) =>
        new(A.From(0, first), B.From(column, first), C + column, CStride, M, columns, depth, Accumulate || first > 0);
}

/// <summary>Few rows (generation): each item owns a strip of columns and packs its part of B for itself, panel by panel in the first-level cache.</summary>
internal readonly unsafe struct StripWork(Product product, SerialMatMul[] serial, int columns) : IWork
{
    /// <summary>Up to here all rows of A fit beside a panel of B, so every panel is needed by one item only.</summary>
    internal const int RowsMax = 192;

    /// <summary>More strips than threads, so that a late worker holds up a small part.</summary>
    internal const int StripsPerThread = 6;

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        var column = item * columns;
        serial[worker].Multiply(
            product.A, product.B.From(column, 0), product.C + column, product.CStride,
            product.M, Math.Min(columns, product.N - column), product.K, product.Accumulate);
    }
}

/// <summary>Packs the panels of one block of B that all threads will read.</summary>
internal readonly unsafe struct PackWork(MatrixView b, int n, int k, int width, float* panels) : IWork
{
    /// <summary>Panels of one item: some tens of thousands of floats.</summary>
    internal const int PanelsPerItem = 4;

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        var column = item * PanelsPerItem * width;
        PanelPacking.Pack(b.From(column, 0), Math.Min(PanelsPerItem * width, n - column), k, width, panels + ((nint)column * k));
    }
}

/// <summary>Each item owns a block of rows of C and runs over all packed panels of B.</summary>
internal readonly unsafe struct BlockWork(Product part, MicroKernelSet kernels, SerialMatMul[] serial, float* panels, int rows) : IWork
{
    /// <summary>Columns packed at a time: at full depth some 6 MB, which stay in a third-level cache.</summary>
    internal const int ColumnsMax = 4096;

    /// <summary>Rows of an item at most: packed at full depth they fill half of a second-level cache.</summary>
    internal const int RowsMax = 360;

    /// <summary>More blocks than threads, so that a late worker holds up a small part.</summary>
    internal const int BlocksPerThread = 6;

    /// <inheritdoc/>
    public void Run(int item, int worker)
    {
        var row = item * rows;
        var left = serial[worker].Prepare(part.A.From(row, 0), Math.Min(rows, part.M - row), part.N, part.K);
        var c = part.C + (row * part.CStride);
        var width = kernels.Columns;
        for (var column = 0; column < part.N; column += width)
        {
            left.Multiply(kernels, panels + ((nint)column * part.K), width, Math.Min(width, part.N - column), c + column, part.CStride, part.Accumulate);
        }
    }
}
