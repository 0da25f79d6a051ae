using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The micro-kernels of one vector width: a full height and two lower ones for the last rows. All sets give the same bits.</summary>
internal sealed unsafe class MicroKernelSet
{
    private readonly delegate*<nint, float*, nint, nint, float*, nint, float*, nint, bool, void> _full, _middle, _low;

    private MicroKernelSet(
        string name, int columns, int rows, int middleRows, int lowRows,
        delegate*<nint, float*, nint, nint, float*, nint, float*, nint, bool, void> full,
        delegate*<nint, float*, nint, nint, float*, nint, float*, nint, bool, void> middle,
        delegate*<nint, float*, nint, nint, float*, nint, float*, nint, bool, void> low)
    {
        (Name, Columns, Rows, MiddleRows, LowRows) = (name, columns, rows, middleRows, lowRows);
        _full = full;
        _middle = middle;
        _low = low;
    }

    /// <summary>12×32 over 512-bit vectors.</summary>
    internal static MicroKernelSet Wide512 { get; } = new(
        "avx512 12x32", 32, 12, 8, 4, &MicroKernels512.Rows12, &MicroKernels512.Rows8, &MicroKernels512.Rows4);

    /// <summary>6×16 over 256-bit vectors.</summary>
    internal static MicroKernelSet Wide256 { get; } = new(
        "avx2 6x16", 16, 6, 4, 2, &MicroKernels256.Rows6, &MicroKernels256.Rows4, &MicroKernels256.Rows2);

    /// <summary>8×8 over 128-bit vectors: NEON, and correct (but slow) on processors whose fused multiply-add is software.</summary>
    internal static MicroKernelSet Wide128 { get; } = new(
        "vector128 8x8", 8, 8, 4, 2, &MicroKernels128.Rows8, &MicroKernels128.Rows4, &MicroKernels128.Rows2);

    /// <summary>The widest that this process may use.</summary>
    internal static MicroKernelSet Best { get; } = Avx512F.IsSupported ? Wide512 : Fma.IsSupported ? Wide256 : Wide128;

    /// <summary>For people.</summary>
    internal string Name { get; }

    /// <summary>Width of the tile in C.</summary>
    internal int Columns { get; }

    /// <summary>Full height of the tile in C.</summary>
    internal int Rows { get; }

    private int MiddleRows { get; }

    private int LowRows { get; }

    /// <summary>The lowest tile that holds that many rows.</summary>
    /// <param name="rows">At least 1; more than <see cref="Rows"/> counts as that.</param>
    internal int Height(int rows) => rows > MiddleRows ? Rows : rows > LowRows ? MiddleRows : LowRows;

    /// <summary>C tile (added to when <paramref name="accumulate"/>) = Σ over k of a column of A times a row of B; fused chain from zero, ascending k.</summary>
    /// <param name="height">A value of <see cref="Height"/>: the rows of the tile.</param>
    /// <param name="k">At least 1.</param>
    /// <param name="a">Element (i, k) at a[i·aRow + k·aStep].</param>
    /// <param name="aRow">See <paramref name="a"/>.</param>
    /// <param name="aStep">See <paramref name="a"/>.</param>
    /// <param name="b">Element (k, j) at b[k·bStep + j].</param>
    /// <param name="bStep">See <paramref name="b"/>.</param>
    /// <param name="c">Element (i, j) at c[i·cRow + j].</param>
    /// <param name="cRow">See <paramref name="c"/>.</param>
    /// <param name="accumulate">Whether C is added to.</param>
    internal void Run(int height, nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        var kernel = height == Rows ? _full : height == MiddleRows ? _middle : _low;
        Invariant.Check(height == Rows || height == MiddleRows || height == LowRows);
        kernel(k, a, aRow, aStep, b, bStep, c, cRow, accumulate);
    }

    /// <summary>The same where the tile may reach over the edge of C: then it is computed aside, and the part that exists is copied or added.</summary>
    /// <param name="height">As in <see cref="Run"/>.</param>
    /// <param name="rows">Rows of the tile that exist in C.</param>
    /// <param name="columns">Columns of the tile that exist in C.</param>
    /// <param name="k">As in <see cref="Run"/>, like the others.</param>
    [SkipLocalsInit]
    internal void RunEdge(
        int height, int rows, int columns, nint k, float* a, nint aRow, nint aStep, float* b, nint bStep, float* c, nint cRow, bool accumulate)
    {
        if (height == rows && columns == Columns)
        {
            Run(height, k, a, aRow, aStep, b, bStep, c, cRow, accumulate);
            return;
        }

        var tile = stackalloc float[height * Columns];
        Run(height, k, a, aRow, aStep, b, bStep, tile, Columns, accumulate: false);
        TileEdge.Store(tile, Columns, rows, columns, c, cRow, accumulate);
    }
}
