using System.Runtime.Intrinsics;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>Numbers of one chunk, one set per worker.</summary>
internal sealed class ChunkScratch
{
    public float[] Sums { get; } = new float[TopK.ChunkMax];

    public int[] Selectors { get; } = new int[TopK.ChunkMax];
}

/// <summary>The work of <see cref="Aggregator"/> over one tensor, in bands of chunks: each chunk is summed in uid order in a worker's scratch and
/// written once.</summary>
internal readonly unsafe struct ChunkSums : IWork
{
    private const int Band = 16;
    private readonly TensorGrid _grid;
    private readonly SparseTensor[] _parts;
    private readonly float[] _levels;
    private readonly AggregationRule _rule;
    private readonly ChunkScratch[] _scratch;
    private readonly float* _mean;

    public ChunkSums(TensorGrid grid, SparseTensor[] parts, float[] levels, AggregationRule rule, ChunkScratch[] scratch, float* mean)
    {
        (_grid, _parts, _levels, _rule, _scratch) = (grid, parts, levels, rule, scratch);
        _mean = mean;
    }

    /// <summary>Items of this work.</summary>
    public int Count => (_grid.ChunkCount + Band - 1) / Band;

    public void Run(int item, int worker)
    {
        var scratch = _scratch[worker];
        for (var chunk = item * Band; chunk < Math.Min(_grid.ChunkCount, (item + 1) * Band); chunk++)
        {
            var length = _grid.LengthOf(chunk);
            scratch.Sums.AsSpan(0, length).Clear();
            for (var i = 0; i < _parts.Length; i++)
            {
                Add(_parts[i], chunk, _levels.AsSpan(4 * i, 4), scratch.Sums);
            }

            if (_rule == AggregationRule.MeanOfSelectors)
            {
                DivideBySelectors(chunk, length, scratch);
            }

            Write(chunk, length, scratch.Sums);
        }
    }

    private static void Add(SparseTensor part, int chunk, ReadOnlySpan<float> levels, float[] sums)
    {
        var indices = part.IndicesOf(chunk);
        var codes = part.Codes;
        var first = part.Grid.FirstValueOf(chunk);
        for (var i = 0; i < indices.Length; i++)
        {
            sums[indices[i]] += levels[Packing.CodeAt(codes, first + i)];
        }
    }

    private void DivideBySelectors(int chunk, int length, ChunkScratch scratch)
    {
        var (sums, selectors) = (scratch.Sums, scratch.Selectors);
        selectors.AsSpan(0, length).Clear();
        foreach (var part in _parts)
        {
            foreach (var index in part.IndicesOf(chunk))
            {
                selectors[index]++;
            }
        }

        var i = 0;
        for (; i + 8 <= length; i += 8)
        {
            var count = Vector256.ConvertToSingle(Vector256.Max(Vector256.Create(selectors, i), Vector256<int>.One));
            (Vector256.Create(sums, i) / count).CopyTo(sums, i);
        }

        for (; i < length; i++)
        {
            sums[i] /= Math.Max(selectors[i], 1);
        }
    }

    private void Write(int chunk, int length, float[] sums)
    {
        var cols = length / _grid.BlockRows;
        var target = _mean + _grid.OriginOf(chunk);
        for (var row = 0; row < _grid.BlockRows; row++, target += _grid.Spec.Cols)
        {
            sums.AsSpan(row * cols, cols).CopyTo(new Span<float>(target, cols));
        }
    }
}
