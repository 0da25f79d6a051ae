namespace Cairn.Compute;

/// <summary>A block of op(A), ready for the micro-kernels: read in place, or from packed panels; a ragged last panel is always packed.</summary>
internal readonly unsafe struct LeftBlock
{
    private readonly float* _whole;
    private readonly float* _last;
    private readonly nint _line;
    private readonly nint _step;
    private readonly nint _lastStep;

    /// <summary>Prepares a block.</summary>
    /// <param name="kernels">Which heights there are.</param>
    /// <param name="source">Element (0, 0) is the block's first.</param>
    /// <param name="rows">Rows of the block.</param>
    /// <param name="k">Depth of the block.</param>
    /// <param name="packed">Whether full panels are packed too.</param>
    /// <param name="panels">Room for (rows + a panel)·k floats.</param>
    internal LeftBlock(MicroKernelSet kernels, MatrixView source, int rows, int k, bool packed, float* panels)
    {
        var wholeRows = rows / kernels.Rows * kernels.Rows;
        var rest = rows - wholeRows;
        Rows = rows;
        if (packed)
        {
            PackWhole(kernels, source, wholeRows, k, panels);
            _whole = panels;
            _line = 1;
            _step = kernels.Rows;
            panels += (nint)wholeRows * k;
        }
        else
        {
            _whole = source.Pointer;
            _line = source.Line;
            _step = source.Step;
        }

        _last = null;
        if (rest > 0)
        {
            _lastStep = kernels.Height(rest);
            _last = panels;
            PanelPacking.Pack(source.From(wholeRows, 0), rest, k, (int)_lastStep, panels);
        }

        Packed = packed;
        K = k;
    }

    /// <summary>Rows of the block.</summary>
    internal int Rows { get; }

    /// <summary>Depth of the block.</summary>
    internal int K { get; }

    private bool Packed { get; }

    /// <summary>C (added to when <paramref name="accumulate"/>) = this block times one panel of B.</summary>
    /// <param name="kernels">The same as the block was prepared for.</param>
    /// <param name="b">Row k of the panel at b[k·bStep].</param>
    /// <param name="bStep">See <paramref name="b"/>.</param>
    /// <param name="columns">Columns of the panel that exist in C.</param>
    /// <param name="c">First element.</param>
    /// <param name="cRow">Floats between rows of C.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    internal void Multiply(MicroKernelSet kernels, float* b, nint bStep, int columns, float* c, nint cRow, bool accumulate)
    {
        var height = kernels.Rows;
        var row = 0;
        var panelStride = Packed ? (nint)height * K : height * _line;
        var a = _whole;
        if (columns == kernels.Columns)
        {
            for (; row + height <= Rows; row += height, a += panelStride)
            {
                kernels.Run(height, K, a, _line, _step, b, bStep, c + (row * cRow), cRow, accumulate);
            }
        }
        else
        {
            for (; row + height <= Rows; row += height, a += panelStride)
            {
                kernels.RunEdge(height, height, columns, K, a, _line, _step, b, bStep, c + (row * cRow), cRow, accumulate);
            }
        }

        if (row < Rows)
        {
            kernels.RunEdge((int)_lastStep, Rows - row, columns, K, _last, 1, _lastStep, b, bStep, c + (row * cRow), cRow, accumulate);
        }
    }

    private static void PackWhole(MicroKernelSet kernels, MatrixView source, int rows, int k, float* panels)
    {
        if (rows > 0)
        {
            PanelPacking.Pack(source, rows, k, kernels.Rows, panels);
        }
    }
}
