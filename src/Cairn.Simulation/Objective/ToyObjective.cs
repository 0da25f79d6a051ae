using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>A small least-squares problem on which everything that the rules look at is real: who trains on its samples improves them clearly and unseen ones a
/// little; who copies, invents or saves work does not. Doubles in a fixed order, additions and products only: same bits everywhere.</summary>
/// <remarks>1024 parameters in chunks of 64, of each the 4 largest are sent as a sign and a scale for the chunk (error feedback keeps the rest). Updates
/// longer than the median of the round are scaled down to it.</remarks>
internal sealed class ToyObjective : IObjective, IDisposable
{
    private const int Parameters = 1024;
    private const int Chunk = 64;
    private const int KeepOfChunk = 4;
    private const int Chunks = Parameters / Chunk;
    private const int Batch = 8;
    private const double InnerRate = 1.0 / 16;
    private const double OuterRate = 1;
    private const double ScaleMax = 1e6;
    private const double NoiseFloor = 0.05;
    private readonly ToySamples _samples;
    // Residuals at the base that was asked for last: validators probe all updates of a round from one base. Memory of pure results, never seen outside.
    private readonly double[] _residuals;
    private readonly int[] _stamps;
    private ModelPoint? _stamped;
    private int _stamp;
    // The step of a probe as a dense vector; all zeros between two calls.
    private readonly double[] _step = new double[Parameters];

    public ToyObjective(ulong seed, long sampleCount)
    {
        _samples = new ToySamples(seed, sampleCount, Parameters);
        (_residuals, _stamps) = (new double[sampleCount], new int[sampleCount]);
        Start = new Point(new double[Parameters]);
    }

    public int Length => Parameters;

    public int Keep => Chunks * KeepOfChunk;

    public int BytesMax => Chunks * (8 + (KeepOfChunk * 2));

    public ModelPoint Start { get; }

    public double[] Train(ModelPoint from, ReadOnlySpan<long> samples)
    {
        var start = ((Point)from).Values;
        var local = start.ToArray();
        var residuals = new double[Batch];
        for (var at = 0; at < samples.Length; at += Batch)
        {
            var batch = samples.Slice(at, Math.Min(Batch, samples.Length - at));
            for (var i = 0; i < batch.Length; i++)
            {
                residuals[i] = _samples.Residual(local, batch[i]);
            }

            for (var i = 0; i < batch.Length; i++)
            {
                _samples.Add(local, batch[i], -InnerRate * residuals[i] / Batch);
            }
        }

        for (var i = 0; i < local.Length; i++)
        {
            local[i] = start[i] - local[i];
        }

        return local;
    }

    public SparseMove Compress(ReadOnlySpan<double> accumulated)
    {
        var (places, values) = (new int[Keep], new double[Keep]);
        Span<int> chosen = stackalloc int[KeepOfChunk];
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            Largest(accumulated.Slice(chunk * Chunk, Chunk), chosen);
            var scale = 0.0;
            foreach (var place in chosen)
            {
                scale += Math.Abs(accumulated[(chunk * Chunk) + place]);
            }

            scale /= KeepOfChunk;
            for (var i = 0; i < KeepOfChunk; i++)
            {
                var place = (chunk * Chunk) + chosen[i];
                places[(chunk * KeepOfChunk) + i] = place;
                values[(chunk * KeepOfChunk) + i] = accumulated[place] < 0 ? -scale : scale;
            }
        }

        return new SparseMove(places, values);
    }

    public byte[] Write(SparseMove move)
    {
        var bytes = new byte[BytesMax];
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            var to = bytes.AsSpan(chunk * (8 + (KeepOfChunk * 2)));
            BinaryPrimitives.WriteDoubleLittleEndian(to, Math.Abs(move.Values[chunk * KeepOfChunk]));
            for (var i = 0; i < KeepOfChunk; i++)
            {
                var at = (chunk * KeepOfChunk) + i;
                var code = (move.Places[at] - (chunk * Chunk)) | (move.Values[at] < 0 ? 1 << 15 : 0);
                BinaryPrimitives.WriteUInt16LittleEndian(to[(8 + (2 * i))..], (ushort)code);
            }
        }

        return bytes;
    }

    public bool TryRead(ReadOnlySpan<byte> bytes, out SparseMove? move, out Rejection why)
    {
        move = null;
        why = bytes.Length > BytesMax ? Rejection.TooLarge : Rejection.Malformed;
        if (bytes.Length != BytesMax)
        {
            return false;
        }

        var (places, values) = (new int[Keep], new double[Keep]);
        for (var chunk = 0; chunk < Chunks; chunk++)
        {
            var from = bytes[(chunk * (8 + (KeepOfChunk * 2)))..];
            var scale = BinaryPrimitives.ReadDoubleLittleEndian(from);
            if (!(scale >= 0 && scale <= ScaleMax))
            {
                why = Rejection.NotFinite;
                return false;
            }

            var last = -1;
            for (var i = 0; i < KeepOfChunk; i++)
            {
                var code = BinaryPrimitives.ReadUInt16LittleEndian(from[(8 + (2 * i))..]);
                var place = code & ~(1 << 15);
                if (place <= last || place >= Chunk)
                {
                    why = Rejection.BadCode;
                    return false;
                }

                last = place;
                places[(chunk * KeepOfChunk) + i] = (chunk * Chunk) + place;
                values[(chunk * KeepOfChunk) + i] = code >> 15 == 0 ? scale : -scale;
            }
        }

        (move, why) = (new SparseMove(places, values), Rejection.None);
        return true;
    }

    public ModelPoint Apply(ModelPoint before, IReadOnlyList<MovePart> parts)
    {
        var values = ((Point)before).Values.ToArray();
        var norms = new double[parts.Count];
        var total = 0L;
        for (var i = 0; i < norms.Length; i++)
        {
            norms[i] = Norm(parts[i].Move);
            total += parts[i].Weight;
        }

        var median = norms.Order().ElementAt((norms.Length - 1) / 2);
        for (var i = 0; i < norms.Length; i++)
        {
            var (move, weight) = parts[i];
            var factor = OuterRate * weight / total * (norms[i] > median ? median / norms[i] : 1);
            for (var j = 0; j < move.Places.Length; j++)
            {
                values[move.Places[j]] -= factor * move.Values[j];
            }
        }

        return new Point(values);
    }

    public double[] Losses(ModelPoint at, SparseMove? probed, ReadOnlySpan<long> samples)
    {
        var point = (Point)at;
        var losses = new double[samples.Length];
        Set(probed, clear: false);
        for (var i = 0; i < losses.Length; i++)
        {
            var residual = ResidualAt(point, samples[i]);
            residual -= probed is null ? 0 : _samples.Dot(_step, samples[i]);
            losses[i] = (0.5 * residual * residual) + NoiseFloor;
        }

        Set(probed, clear: true);
        return losses;
    }

    public void Dispose() => _samples.Dispose();

    private void Set(SparseMove? move, bool clear)
    {
        for (var i = 0; i < (move?.Places.Length ?? 0); i++)
        {
            _step[move!.Places[i]] = clear ? 0 : move.Values[i];
        }
    }

    private double ResidualAt(Point point, long sample)
    {
        if (!ReferenceEquals(point, _stamped))
        {
            (_stamped, _stamp) = (point, _stamp + 1);
        }

        if (_stamps[sample] != _stamp)
        {
            (_stamps[sample], _residuals[sample]) = (_stamp, _samples.Residual(point.Values, sample));
        }

        return _residuals[sample];
    }

    // The places of the largest, rising. Of equal ones the lower place: two machines must choose the same.
    private static void Largest(ReadOnlySpan<double> chunk, Span<int> chosen)
    {
        Span<double> best = stackalloc double[KeepOfChunk];
        best.Fill(-1);
        for (var i = 0; i < chunk.Length; i++)
        {
            var size = Math.Abs(chunk[i]);
            if (!(size > best[KeepOfChunk - 1]))
            {
                continue;
            }

            var at = KeepOfChunk - 1;
            for (; at > 0 && size > best[at - 1]; at--)
            {
                (best[at], chosen[at]) = (best[at - 1], chosen[at - 1]);
            }

            (best[at], chosen[at]) = (size, i);
        }

        chosen.Sort();
    }

    private static double Norm(SparseMove move)
    {
        var sum = 0.0;
        foreach (var value in move.Values)
        {
            sum += value * value;
        }

        return Math.Sqrt(sum);
    }

    private sealed class Point(double[] values) : ModelPoint
    {
        private Digest? _digest;

        public double[] Values { get; } = values;

        public override Digest Digest => _digest ??= Digest.Of("toy/base", System.Runtime.InteropServices.MemoryMarshal.AsBytes(Values.AsSpan()));
    }
}
