namespace Cairn.Compute;

/// <summary>One side of a product as its lines see it: a line is a row of op(A) or a column of op(B); both run along k.</summary>
/// <param name="pointer">Element (0, 0).</param>
/// <param name="line">Floats from one line to the next.</param>
/// <param name="step">Floats from one k to the next; one of the two strides is 1.</param>
internal readonly unsafe struct MatrixView(float* pointer, nint line, nint step)
{
    /// <summary>Element (0, 0).</summary>
    internal float* Pointer { get; } = pointer;

    /// <summary>Floats from one line to the next.</summary>
    internal nint Line { get; } = line;

    /// <summary>Floats from one k to the next.</summary>
    internal nint Step { get; } = step;

    /// <summary>The view whose element (0, 0) is (<paramref name="lines"/>, <paramref name="k"/>) of this one.</summary>
    internal MatrixView From(nint lines, nint k) => new(Pointer + (lines * Line) + (k * Step), Line, Step);

    /// <summary>op(A) of a row-major A: [m, k], or stored as [k, m] when transposed.</summary>
    internal static MatrixView OfLeft(float* a, nint stride, bool transposed) => transposed ? new(a, 1, stride) : new(a, stride, 1);

    /// <summary>op(B) of a row-major B: [k, n], or stored as [n, k] when transposed.</summary>
    internal static MatrixView OfRight(float* b, nint stride, bool transposed) => transposed ? new(b, stride, 1) : new(b, 1, stride);
}
