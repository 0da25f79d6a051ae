using Cairn.Base;

namespace Cairn.Compute;

/// <content>Rotation and attention.</content>
public sealed partial class ReferenceKernels
{
    /// <inheritdoc/>
    public void Rope(Span<float> qkv, RopeTable table, in AttentionShape shape, bool inverse)
    {
        Invariant.Check(qkv.Length == shape.Rows * shape.QkvWidth && table.HeadDim == shape.HeadDim && table.Length >= shape.Length);
        var half = shape.HeadDim / 2;
        for (var r = 0; r < shape.Rows; r++)
        {
            for (var head = 0; head < shape.Heads + shape.KvHeads; head++)
            {
                var pairs = qkv.Slice((r * shape.QkvWidth) + (head * shape.HeadDim), shape.HeadDim);
                for (var i = 0; i < half; i++)
                {
                    double cos = table.Cos[(r % shape.Length * half) + i];
                    double sin = table.Sin[(r % shape.Length * half) + i];
                    sin = inverse ? -sin : sin;
                    var (a, b) = (pairs[i], pairs[i + half]);
                    pairs[i] = (float)((a * cos) - (b * sin));
                    pairs[i + half] = (float)((b * cos) + (a * sin));
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Attention(ReadOnlySpan<float> qkv, Span<float> outR, Span<float> lse, in AttentionShape shape)
    {
        CheckAttention(qkv.Length, outR.Length, lse.Length, shape);
        for (var r = 0; r < shape.Rows; r++)
        {
            var (sequence, t) = (r / shape.Length, r % shape.Length);
            for (var head = 0; head < shape.Heads; head++)
            {
                var view = new HeadView(shape, sequence, head);
                var output = outR.Slice((r * shape.OutWidth) + (head * shape.HeadDim), shape.HeadDim);
                lse[(((sequence * shape.Heads) + head) * shape.Length) + t] =
                    (float)Attend(qkv.Slice(view.Query(t), shape.HeadDim), qkv[view.Key(0)..], qkv[view.Value(0)..], view.Stride, output, t + 1);
            }
        }
    }

    /// <inheritdoc/>
    public void AttentionStep(
        ReadOnlySpan<float> q, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, Span<float> outHE, int length, in AttentionShape shape)
    {
        var width = shape.KvHeads * shape.HeadDim;
        Invariant.Check(q.Length == shape.OutWidth && outHE.Length == shape.OutWidth && length > 0);
        Invariant.Check(keys.Length >= length * width && values.Length >= length * width);
        for (var head = 0; head < shape.Heads; head++)
        {
            var at = head * shape.HeadDim;
            var kvAt = head / (shape.Heads / shape.KvHeads) * shape.HeadDim;
            Attend(q.Slice(at, shape.HeadDim), keys[kvAt..], values[kvAt..], width, outHE.Slice(at, shape.HeadDim), length);
        }
    }

    /// <inheritdoc/>
    public void AttentionBackward(
        ReadOnlySpan<float> dOutR, ReadOnlySpan<float> qkv, ReadOnlySpan<float> outR, ReadOnlySpan<float> lse, Span<float> dQkv, in AttentionShape shape)
    {
        CheckAttention(qkv.Length, outR.Length, lse.Length, shape);
        Invariant.Check(dOutR.Length == outR.Length && dQkv.Length == qkv.Length);
        var sums = Scratch(qkv.Length)[..qkv.Length];
        sums.Clear();
        for (var r = 0; r < shape.Rows; r++)
        {
            var (sequence, t) = (r / shape.Length, r % shape.Length);
            for (var head = 0; head < shape.Heads; head++)
            {
                var view = new HeadView(shape, sequence, head);
                var at = (r * shape.OutWidth) + (head * shape.HeadDim);
                var rowLse = lse[(((sequence * shape.Heads) + head) * shape.Length) + t];
                BackRow(dOutR.Slice(at, shape.HeadDim), outR.Slice(at, shape.HeadDim), qkv, rowLse, sums, view, t);
            }
        }

        for (var i = 0; i < dQkv.Length; i++)
        {
            dQkv[i] = (float)sums[i];
        }
    }

    /// <summary>Adds the gradients of one query row: with P = exp(s − lse) and dS = P∘(dP − ⟨dO, O⟩), dV += P·dO, dQ += dS·K, dK += dS·Q.</summary>
    private static void BackRow(
        ReadOnlySpan<float> dOut, ReadOnlySpan<float> outRow, ReadOnlySpan<float> qkv, double lse, Span<double> dQkv, in HeadView view, int t)
    {
        var dim = dOut.Length;
        var scale = 1 / Math.Sqrt(dim);
        var query = view.Query(t);
        var mean = Dot(dOut, outRow);
        for (var s = 0; s <= t; s++)
        {
            var (key, value) = (view.Key(s), view.Value(s));
            var probability = DeterministicMath.Exp((Dot(qkv.Slice(query, dim), qkv.Slice(key, dim)) * scale) - lse);
            var dScore = probability * (Dot(dOut, qkv.Slice(value, dim)) - mean) * scale;
            for (var i = 0; i < dim; i++)
            {
                dQkv[value + i] += probability * dOut[i];
                dQkv[query + i] += dScore * qkv[key + i];
                dQkv[key + i] += dScore * qkv[query + i];
            }
        }
    }

    /// <summary>One query against rows of keys and values; returns the log-sum-exp of its scores.</summary>
    private double Attend(
        ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int stride, Span<float> output, int length)
    {
        var scores = Scratch(length)[..length];
        var scale = 1 / Math.Sqrt(query.Length);
        var highest = double.NegativeInfinity;
        for (var s = 0; s < length; s++)
        {
            scores[s] = Dot(query, keys.Slice(s * stride, query.Length)) * scale;
            highest = Math.Max(highest, scores[s]);
        }

        double sum = 0;
        for (var s = 0; s < length; s++)
        {
            scores[s] = DeterministicMath.Exp(scores[s] - highest);
            sum += scores[s];
        }

        for (var i = 0; i < output.Length; i++)
        {
            double total = 0;
            for (var s = 0; s < length; s++)
            {
                total += scores[s] * values[(s * stride) + i];
            }

            output[i] = (float)(total / sum);
        }

        return highest + DeterministicMath.Log(sum);
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }

    private static void CheckAttention(int qkvLength, int outLength, int lseLength, in AttentionShape shape)
    {
        Invariant.Check(shape.Heads % shape.KvHeads == 0 && shape.HeadDim % 2 == 0);
        Invariant.Check(qkvLength == shape.Rows * shape.QkvWidth && outLength == shape.Rows * shape.OutWidth && lseLength == shape.Rows * shape.Heads);
    }

    private Span<double> Scratch(int length)
    {
        if (_scores.Length < length)
        {
            _scores = new double[length];
        }

        return _scores;
    }

    /// <summary>Where the rows of one head begin within packed projections.</summary>
    private readonly struct HeadView(in AttentionShape shape, int sequence, int head)
    {
        private readonly int _start = sequence * shape.Length * shape.QkvWidth;
        private readonly int _queryAt = head * shape.HeadDim;
        private readonly int _keyAt = (shape.Heads + (head / (shape.Heads / shape.KvHeads))) * shape.HeadDim;
        private readonly int _kvWidth = shape.KvHeads * shape.HeadDim;

        public int Stride { get; } = shape.QkvWidth;

        public int Query(int t) => _start + (t * Stride) + _queryAt;

        public int Key(int t) => _start + (t * Stride) + _keyAt;

        public int Value(int t) => Key(t) + _kvWidth;
    }
}
