using Cairn.Base;

namespace Cairn.Compute;

/// <summary>The constants of one attention call and how a worker's scratch memory is cut. All sizes in floats.</summary>
/// <remarks>The kernels write where these sizes say: one that does not fit an int is an error, and no smaller number.</remarks>
internal readonly unsafe struct AttentionPlan
{
    /// <summary>Query rows at a time. Part of the bits: the gradients of keys and values are summed block by block.</summary>
    public const int RowBlock = 96;

    /// <summary>Rows that share one causal bound. Every vector width's tile heights divide it, so all widths multiply the same numbers.</summary>
    public const int Group = 12;

    /// <summary>Columns of a panel; every vector width's tile width divides it.</summary>
    public const int PanelWidth = 32;

    /// <summary>Derives them from the shape.</summary>
    public AttentionPlan(in AttentionShape shape)
    {
        Shape = shape;
        Kernels = MicroKernelSet.Best;
        PaddedDim = RoundUp(shape.HeadDim, PanelWidth);
        PaddedLength = RoundUp(shape.Length, PanelWidth);

        // 16 more for the zeros after the diagonal; an odd number of cache lines, or the rows of a column would share few sets of the cache.
        ScoreWidth = PaddedLength + 16;
        Scale = 1 / MathF.Sqrt(shape.HeadDim);
    }

    public AttentionShape Shape { get; }

    public MicroKernelSet Kernels { get; }

    /// <summary>Head width rounded up to panels.</summary>
    public int PaddedDim { get; }

    /// <summary>Length rounded up to panels.</summary>
    public int PaddedLength { get; }

    /// <summary>Floats between rows of scores.</summary>
    public int ScoreWidth { get; }

    /// <summary>1/√E.</summary>
    public float Scale { get; }

    /// <summary>Keys or values as panels, along either side.</summary>
    public int PanelFloats => checked(Math.Max(PaddedLength * Shape.HeadDim, Shape.Length * PaddedDim));

    /// <summary>A block of scores.</summary>
    public int ScoreFloats => checked(RowBlock * ScoreWidth);

    /// <summary>A block of rows of one head, with room for the last tile.</summary>
    public int BlockFloats => checked(RowBlock * PaddedDim);

    /// <summary>All rows of one head, with room for the last tile.</summary>
    public int HeadFloats => checked((Shape.Length + Group) * PaddedDim);

    /// <summary>Scratch of one worker forward: keys, values, scores, queries, outputs, sums.</summary>
    public int ForwardFloats => checked((2 * PanelFloats) + ScoreFloats + (2 * BlockFloats) + RowBlock);

    /// <summary>Scratch of one worker backward: keys twice, values, their gradients, scores twice, and of a block:
    /// queries, output gradients, query gradients, panels.</summary>
    public int BackwardFloats => checked((3 * PanelFloats) + (2 * HeadFloats) + (2 * ScoreFloats) + (4 * BlockFloats));

    /// <summary>Copies rows of one head out of packed rows, one after another, <see cref="PaddedDim"/> apart; the padding is left as it was.</summary>
    public void CopyIn(float* from, nint stride, int rows, float* to)
    {
        for (var r = 0; r < rows; r++, from += stride, to += PaddedDim)
        {
            new Span<float>(from, Shape.HeadDim).CopyTo(new Span<float>(to, Shape.HeadDim));
        }
    }

    /// <summary>Copies rows of one head back into packed rows.</summary>
    public void CopyOut(float* from, int rows, float* to, nint stride)
    {
        for (var r = 0; r < rows; r++, from += PaddedDim, to += stride)
        {
            new Span<float>(from, Shape.HeadDim).CopyTo(new Span<float>(to, Shape.HeadDim));
        }
    }

    /// <summary>Panels whose lines are rows (tokens) and whose steps run along the head: for products over the head's width.</summary>
    public void PackAcross(float* from, nint stride, int rows, float* panels) =>
        PanelPacking.Pack(new MatrixView(from, stride, 1), rows, Shape.HeadDim, PanelWidth, panels);

    /// <summary>Panels whose lines are the head's columns and whose steps are rows (tokens): for products over tokens.</summary>
    public void PackAlong(float* from, nint stride, int rows, float* panels) =>
        PanelPacking.Pack(new MatrixView(from, 1, stride), Shape.HeadDim, rows, PanelWidth, panels);

    private static int RoundUp(int value, int multiple) => checked((value + multiple - 1) / multiple * multiple);
}
