using System.Runtime.Intrinsics;
using Cairn.Compute;

namespace Cairn.Sparse;

/// <summary>The work of <see cref="Aggregator"/> over one tensor, in bands of chunks: each chunk is combined in uid order in a worker's scratch and
/// written once.</summary>
internal readonly unsafe struct ChunkSums : IWork
{
    private const int Band = 16;
    private readonly TensorGrid _grid;
    private readonly SparseTensor[] _parts;
    private readonly float[][] _levels;
    private readonly float[] _factors;
    private readonly float[] _shares;
    private readonly Aggregation _aggregation;
    private readonly ChunkScratch[] _scratch;
    private readonly float* _mean;

    public ChunkSums(
        TensorGrid grid, SparseTensor[] parts, float[][] levels, float[] factors, float[] shares, Aggregation aggregation, ChunkScratch[] scratch, float* mean)
    {
        (_grid, _parts, _levels, _factors, _shares, _aggregation, _scratch) = (grid, parts, levels, factors, shares, aggregation, scratch);
        _mean = mean;
    }

    /// <summary>Items of this work.</summary>
    public int Count => (_grid.ChunkCount + Band - 1) / Band;

    public void Run(int item, int worker)
    {
        var scratch = _scratch[worker];
        scratch.Reserve(_parts.Length);
        for (var chunk = item * Band; chunk < Math.Min(_grid.ChunkCount, (item + 1) * Band); chunk++)
        {
            var shape = _grid.ShapeOf(chunk);
            Combine(chunk, shape.Length, scratch);
            Write(chunk, shape, scratch.Sums);
        }
    }

    private void Combine(int chunk, int length, ChunkScratch scratch)
    {
        switch (_aggregation.Rule)
        {
            case AggregationRule.TrimmedMean:
                TrimmedMean(chunk, length, scratch);
                break;
            case AggregationRule.MeanOfSelectors:
                Sum(chunk, length, scratch);
                CountSelectors(chunk, length, scratch.Selectors);
                DivideBySelectors(length, scratch);
                break;
            case AggregationRule.Support:
                Sum(chunk, length, scratch);
                CountSelectors(chunk, length, scratch.Selectors);
                DropUnsupported(length, scratch);
                break;
            case AggregationRule.SignVote:
                SumByVotes(chunk, length, scratch);
                break;
            default:
                Sum(chunk, length, scratch);
                break;
        }
    }

    private ReadOnlySpan<float> LevelsOf(int part, int chunk) => _levels[part].AsSpan(4 * _parts[part].RowOf(chunk), 4);

    private void Sum(int chunk, int length, ChunkScratch scratch)
    {
        scratch.Sums.AsSpan(0, length).Clear();
        for (var part = 0; part < _parts.Length; part++)
        {
            Add(_parts[part].IndicesOf(chunk), _parts[part].CodesOf(chunk), LevelsOf(part, chunk), scratch.Sums);
        }
    }

    private static void Add(ReadOnlySpan<ushort> indices, ReadOnlySpan<byte> codes, ReadOnlySpan<float> levels, float[] sums)
    {
        for (var i = 0; i < indices.Length; i++)
        {
            sums[indices[i]] += levels[codes[i]];
        }
    }

    private void CountSelectors(int chunk, int length, int[] selectors)
    {
        selectors.AsSpan(0, length).Clear();
        foreach (var part in _parts)
        {
            // A chunk of zeros names places because k must be named: it speaks for none of them.
            if (part.IsZero(chunk))
            {
                continue;
            }

            foreach (var index in part.IndicesOf(chunk))
            {
                selectors[index]++;
            }
        }
    }

    private static void DivideBySelectors(int length, ChunkScratch scratch)
    {
        var (sums, selectors) = (scratch.Sums, scratch.Selectors);
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

    private void DropUnsupported(int length, ChunkScratch scratch)
    {
        for (var i = 0; i < length; i++)
        {
            scratch.Sums[i] = scratch.Selectors[i] > _aggregation.Tolerated ? scratch.Sums[i] : 0;
        }
    }

    private void SumByVotes(int chunk, int length, ChunkScratch scratch)
    {
        var (sums, votes) = (scratch.Sums, scratch.Votes);
        sums.AsSpan(0, length).Clear();
        votes.AsSpan(0, length).Clear();
        var bound = (float)MedianSize(chunk, scratch.Sizes);
        Span<float> held = stackalloc float[4];
        for (var part = 0; part < _parts.Length; part++)
        {
            var levels = LevelsOf(part, chunk);
            var most = _shares[part] * bound;
            for (var code = 0; code < 4; code++)
            {
                held[code] = Math.Clamp(levels[code], -most, most);
            }

            var indices = _parts[part].IndicesOf(chunk);
            var codes = _parts[part].CodesOf(chunk);
            for (var i = 0; i < indices.Length; i++)
            {
                var value = held[codes[i]];
                sums[indices[i]] += value;
                votes[indices[i]] += value > 0 ? 1 : value < 0 ? -1 : 0;
            }
        }

        for (var i = 0; i < length; i++)
        {
            sums[i] = votes[i] > 0 ? Math.Max(sums[i], 0) : votes[i] < 0 ? Math.Min(sums[i], 0) : 0;
        }
    }

    // The lower median over the updates of the mean size of what they sent of a chunk.
    private double MedianSize(int chunk, double[] sizes)
    {
        for (var part = 0; part < _parts.Length; part++)
        {
            var levels = _parts[part].Book.Table.Slice(4 * _parts[part].RowOf(chunk), 4);
            var counts = CodeCounts.Of(_parts[part].CodesOf(chunk));
            var size = (counts.Of0 * Math.Abs((double)levels[0])) + (counts.Of1 * Math.Abs((double)levels[1]))
                + (counts.Of2 * Math.Abs((double)levels[2])) + (counts.Of3 * Math.Abs((double)levels[3]));
            sizes[part] = _factors[part] * size / _parts[part].CodesOf(chunk).Length;
        }

        return MedianNormClip.LowerMedian(sizes);
    }

    // The values of each element stand together; between its negative and its positive ones belong as many zeros as updates did not send it.
    private void TrimmedMean(int chunk, int length, ChunkScratch scratch)
    {
        CountSelectors(chunk, length, scratch.Selectors);
        var (ends, values) = (scratch.Ends, scratch.Values);
        var end = 0;
        for (var i = 0; i < length; i++)
        {
            ends[i] = end;
            end += scratch.Selectors[i];
        }

        for (var part = 0; part < _parts.Length; part++)
        {
            if (_parts[part].IsZero(chunk))
            {
                continue;
            }

            var levels = LevelsOf(part, chunk);
            var indices = _parts[part].IndicesOf(chunk);
            var codes = _parts[part].CodesOf(chunk);
            for (var i = 0; i < indices.Length; i++)
            {
                values[ends[indices[i]]++] = levels[codes[i]];
            }
        }

        var trim = Math.Min(_aggregation.Tolerated, (_parts.Length - 1) / 2);
        for (var i = 0; i < length; i++)
        {
            var count = scratch.Selectors[i];
            scratch.Sums[i] = count == 0 ? 0 : Trimmed(values.AsSpan(ends[i] - count, count), _parts.Length - count, trim);
        }
    }

    private static float Trimmed(Span<float> sent, int zeros, int trim)
    {
        sent.Sort();
        var negative = 0;
        while (negative < sent.Length && sent[negative] < 0)
        {
            negative++;
        }

        // Places of the sorted run with the zeros in it: negative values, zeros, positive values.
        var (sum, kept) = (0f, sent.Length + zeros - (2 * trim));
        for (var i = 0; i < sent.Length; i++)
        {
            var place = i < negative ? i : i + zeros;
            sum += place >= trim && place < trim + kept ? sent[i] : 0;
        }

        return sum / kept;
    }

    // Adding +0 turns −0, which underflow may leave behind, into +0 and nothing else into anything: "did not move" has one form, here and in a RoundDelta.
    private void Write(int chunk, ChunkShape shape, float[] sums)
    {
        var target = _mean + _grid.OriginOf(chunk);
        fixed (float* first = sums)
        {
            var source = first;
            for (var row = 0; row < shape.Rows; row++, target += _grid.Spec.Cols, source += shape.Cols)
            {
                var i = 0;
                for (; i + 8 <= shape.Cols; i += 8)
                {
                    (Vector256.Load(source + i) + Vector256<float>.Zero).Store(target + i);
                }

                for (; i < shape.Cols; i++)
                {
                    target[i] = source[i] + 0f;
                }
            }
        }
    }
}
