using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>What is sent of one tensor: for each chunk the places of its kept elements and a scale, for each of them a code, and what the codes stand
/// for.</summary>
/// <remarks>Made by <see cref="SparseEncoder"/> or by a decoder that judged it, so indices rise strictly within each chunk and lie inside it.
/// Memory: 3 bytes per value.</remarks>
public sealed class SparseTensor
{
    private readonly ushort[] _indices;
    private readonly byte[] _codes;
    private readonly byte[] _scales;
    private readonly int _scaleCount;
    private double _norm = double.NaN;

    internal SparseTensor(TensorGrid grid, ushort[] indices, byte[] codes, byte[] scales, LevelBook book)
    {
        Invariant.Check(indices.Length >= grid.ValueCount && codes.Length >= grid.ValueCount);
        _scaleCount = book.Kind == QuantizerKind.Published ? 0 : grid.ChunkCount;
        Invariant.Check(scales.Length >= _scaleCount);
        (Grid, _indices, _codes, _scales, Book) = (grid, indices, codes, scales, book);
    }

    /// <summary>How the tensor is cut.</summary>
    public TensorGrid Grid { get; }

    /// <summary>Places of the kept elements within their chunk, chunk after chunk: [ValueCount], see <see cref="TensorGrid.FirstValueOf"/>.</summary>
    public ReadOnlySpan<ushort> Indices => _indices.AsSpan(0, Grid.ValueCount);

    /// <summary>Codes of the kept elements, one to a byte.</summary>
    public ReadOnlySpan<byte> Codes => _codes.AsSpan(0, Grid.ValueCount);

    /// <summary>Scale codes of the chunks; empty where the quantiser has none.</summary>
    public ReadOnlySpan<byte> Scales => _scales.AsSpan(0, _scaleCount);

    /// <summary>What the codes stand for.</summary>
    public LevelBook Book { get; }

    /// <summary>Euclidean norm of the decoded values, in double from how often each value of the book occurs: exact but for its own rounding, in one stated
    /// order.</summary>
    public double Norm
    {
        get
        {
            if (double.IsNaN(_norm))
            {
                _norm = ComputeNorm();
            }

            return _norm;
        }
    }

    /// <summary>Places of one chunk's kept elements.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public ReadOnlySpan<ushort> IndicesOf(int chunk) => _indices.AsSpan(Grid.FirstValueOf(chunk), Grid.KeepOf(chunk));

    /// <summary>Codes of one chunk's kept elements.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public ReadOnlySpan<byte> CodesOf(int chunk) => _codes.AsSpan(Grid.FirstValueOf(chunk), Grid.KeepOf(chunk));

    /// <summary>Which row of the book's table a chunk's codes point into.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public int RowOf(int chunk) => _scaleCount == 0 ? 0 : _scales[chunk];

    /// <summary>Whether all that is sent of a chunk is zero.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public bool IsZero(int chunk) => _scaleCount > 0 && _scales[chunk] == LevelBook.ZeroScale;

    /// <summary>x ← x − factor · decoded value, for the kept elements; no other element is touched. Tier T2: same inputs, same bits.</summary>
    /// <param name="factor">Any number; the product is rounded to fp32 once, then the difference.</param>
    /// <param name="tensor">The dense tensor: exactly Grid.Spec.Length.</param>
    /// <param name="where">As long: elements where it is zero are left alone. Empty for all.</param>
    /// <remarks>Error feedback settles with it.</remarks>
    public void SubtractFrom(float factor, Span<float> tensor, ReadOnlySpan<float> where = default)
    {
        Invariant.Check(tensor.Length == Grid.Spec.Length && (where.IsEmpty || where.Length == tensor.Length));
        Span<float> levels = stackalloc float[4];
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            var row = Book.Table.Slice(4 * RowOf(chunk), 4);
            for (var code = 0; code < 4; code++)
            {
                levels[code] = factor * row[code];
            }

            var origin = Grid.OriginOf(chunk);
            var offsets = Grid.ShapeOf(chunk).Offsets;
            var indices = IndicesOf(chunk);
            var codes = CodesOf(chunk);
            for (var i = 0; i < indices.Length; i++)
            {
                var at = origin + offsets[indices[i]];
                if (where.IsEmpty || where[at] != 0)
                {
                    tensor[at] -= levels[codes[i]];
                }
            }
        }
    }

    /// <summary>The decoded values, in the order of the places.</summary>
    /// <param name="values">Receives them: exactly Grid.ValueCount.</param>
    public void CopyValuesTo(Span<float> values)
    {
        Invariant.Check(values.Length == Grid.ValueCount);
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            ChunkValues.Read(Book.Table.Slice(4 * RowOf(chunk), 4), CodesOf(chunk), values.Slice(Grid.FirstValueOf(chunk), Grid.KeepOf(chunk)));
        }
    }

    private double ComputeNorm()
    {
        var counts = new long[Book.Table.Length];
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            var own = counts.AsSpan(4 * RowOf(chunk), 4);
            var of = CodeCounts.Of(CodesOf(chunk));
            own[0] += of.Of0;
            own[1] += of.Of1;
            own[2] += of.Of2;
            own[3] += of.Of3;
        }

        var sum = 0.0;
        for (var i = 0; i < counts.Length; i++)
        {
            double value = Book.Table[i];
            sum += counts[i] * (value * value);
        }

        return Math.Sqrt(sum);
    }
}
