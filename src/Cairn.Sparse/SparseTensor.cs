using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>What is sent of one tensor: for each chunk the places of its kept elements, for each of them a 2-bit code, and what the codes stand
/// for.</summary>
/// <remarks>Made by <see cref="SparseEncoder"/> or by a decoder that judged it, so indices rise strictly within each chunk and lie inside it.
/// Memory: 2.25 bytes per value.</remarks>
public sealed class SparseTensor
{
    private readonly ushort[] _indices;
    private readonly byte[] _codes;

    internal SparseTensor(TensorGrid grid, ushort[] indices, byte[] codes, Codebook codebook)
    {
        Invariant.Check(indices.Length == grid.ValueCount);
        Invariant.Check(codes.Length == Packing.CodeBytes(grid.ValueCount));
        Grid = grid;
        _indices = indices;
        _codes = codes;
        Codebook = codebook;
        Counts = CodeCounts.Of(codes, indices.Length);
    }

    /// <summary>How the tensor is cut.</summary>
    public TensorGrid Grid { get; }

    /// <summary>Places of the kept elements within their chunk, chunk after chunk: [ValueCount], see <see cref="TensorGrid.FirstValueOf"/>.</summary>
    public ReadOnlySpan<ushort> Indices => _indices;

    /// <summary>Codes of the kept elements, four to a byte (<see cref="Packing"/>).</summary>
    public ReadOnlySpan<byte> Codes => _codes;

    /// <summary>What the codes stand for.</summary>
    public Codebook Codebook { get; }

    /// <summary>How many values carry each code.</summary>
    public CodeCounts Counts { get; }

    /// <summary>Euclidean norm of the decoded values, in double from the four counts: exact but for its own rounding, in one stated order.</summary>
    public double Norm
    {
        get
        {
            double v0 = Codebook.ValueOf(0), v1 = Codebook.ValueOf(1), v2 = Codebook.ValueOf(2), v3 = Codebook.ValueOf(3);
            return Math.Sqrt((Counts.Of0 * (v0 * v0)) + (Counts.Of1 * (v1 * v1)) + (Counts.Of2 * (v2 * v2)) + (Counts.Of3 * (v3 * v3)));
        }
    }

    /// <summary>Places of one chunk's kept elements.</summary>
    /// <param name="chunk">0 to ChunkCount − 1.</param>
    public ReadOnlySpan<ushort> IndicesOf(int chunk) => _indices.AsSpan(Grid.FirstValueOf(chunk), Grid.KeepOf(chunk));

    /// <summary>x ← x − factor · decoded value, for the kept elements; no other element is touched. Tier T2: same inputs, same bits.</summary>
    /// <param name="factor">Any number; the product is rounded to fp32 once, then the difference.</param>
    /// <param name="tensor">The dense tensor: exactly Grid.Spec.Length.</param>
    /// <remarks>Error feedback settles with it, and a probe of a single update takes its step with it.</remarks>
    public void SubtractFrom(float factor, Span<float> tensor)
    {
        Invariant.Check(tensor.Length == Grid.Spec.Length);
        Span<float> levels = stackalloc float[4];
        for (var code = 0; code < 4; code++)
        {
            levels[code] = factor * Codebook.ValueOf(code);
        }

        var offsets = Grid.OffsetInBlock;
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            var elements = tensor[Grid.OriginOf(chunk)..];
            var value = Grid.FirstValueOf(chunk);
            foreach (var index in IndicesOf(chunk))
            {
                elements[offsets[index]] -= levels[Packing.CodeAt(_codes, value++)];
            }
        }
    }

    /// <summary>Copies the dense elements at the kept places, so that a probe can put them back.</summary>
    /// <param name="tensor">The dense tensor: exactly Grid.Spec.Length.</param>
    /// <param name="values">Receives them in the order of the values: exactly Grid.ValueCount.</param>
    public void Gather(ReadOnlySpan<float> tensor, Span<float> values)
    {
        Invariant.Check(tensor.Length == Grid.Spec.Length && values.Length == Grid.ValueCount);
        var offsets = Grid.OffsetInBlock;
        var value = 0;
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            var elements = tensor[Grid.OriginOf(chunk)..];
            foreach (var index in IndicesOf(chunk))
            {
                values[value++] = elements[offsets[index]];
            }
        }
    }

    /// <summary>Puts values back at the kept places: undoes what was done since <see cref="Gather"/>, bit for bit.</summary>
    /// <param name="values">From <see cref="Gather"/>.</param>
    /// <param name="tensor">The dense tensor: exactly Grid.Spec.Length.</param>
    public void Scatter(ReadOnlySpan<float> values, Span<float> tensor)
    {
        Invariant.Check(tensor.Length == Grid.Spec.Length && values.Length == Grid.ValueCount);
        var offsets = Grid.OffsetInBlock;
        var value = 0;
        for (var chunk = 0; chunk < Grid.ChunkCount; chunk++)
        {
            var elements = tensor[Grid.OriginOf(chunk)..];
            foreach (var index in IndicesOf(chunk))
            {
                elements[offsets[index]] = values[value++];
            }
        }
    }
}
