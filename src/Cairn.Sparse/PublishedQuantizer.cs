using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>The published 2-bit quantiser over all values that are sent of one tensor.</summary>
/// <remarks>Source: Covenant-72B, per-tensor quantiser (see <see cref="Codebook"/>). Where the source sums in fp32 in no stated order, this one
/// sums in double: value i of each block of 4096 goes to lane i mod 8, lanes are added from 0 to 7, blocks in order. So any number of threads and
/// any vector width give the same bits. Bins are told apart by comparing v − shift with ±0.5 and −1.5 scales in double, which is the source's
/// rounding without its division.</remarks>
internal sealed class PublishedQuantizer : IQuantizer
{
    private const int Block = 4096;
    private const int Lanes = 8;

    /// <inheritdoc/>
    public QuantizerKind Kind => QuantizerKind.Published;

    /// <inheritdoc/>
    public int BitsPerValue => 2;

    /// <inheritdoc/>
    public int HeaderBytes => 6 * sizeof(float);

    /// <inheritdoc/>
    public bool HasScales => false;

    /// <inheritdoc/>
    public LevelBook? TryQuantize(TensorGrid grid, ReadOnlySpan<float> values, Span<byte> codes, Span<byte> scales) =>
        TryQuantize(values, codes, out var codebook) ? new LevelBook(codebook) : null;

    /// <inheritdoc/>
    public void Write(LevelBook book, Span<byte> header)
    {
        var c = book.Codebook;
        ReadOnlySpan<float> numbers = [c.Shift, c.Scale, c.Level0, c.Level1, c.Level2, c.Level3];
        for (var i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(header[(4 * i)..], numbers[i]);
        }
    }

    /// <inheritdoc/>
    public LevelBook? TryRead(ReadOnlySpan<byte> header)
    {
        var reader = new WireReader(header);
        var codebook = new Codebook(reader.Single(), reader.Single(), reader.Single(), reader.Single(), reader.Single(), reader.Single());
        return codebook.IsFinite ? new LevelBook(codebook) : null;
    }

    /// <inheritdoc/>
    public bool IsBookInForm(LevelBook book, int scalesUsed) => book.Codebook.HasLevelsOrZeros;

    /// <inheritdoc/>
    public int CodesAllowed(LevelBook book) => book.Codebook.CodesInBin is 0b1111 ? LevelBook.AllCodes : book.Codebook.CodesInBin;

    /// <inheritdoc/>
    public bool UsesItsBook(LevelBook book, ReadOnlySpan<byte> codes) => book.Codebook.IsInForm(CodeCounts.Of(codes));

    /// <summary>Quantises values.</summary>
    /// <param name="values">At least one, all finite.</param>
    /// <param name="codes">Receives the codes, one to a byte: as long as the values.</param>
    /// <param name="codebook">Receives what the codes stand for.</param>
    /// <returns>False if a scale, shift or level lies outside the range that a receiver accepts: training has diverged.</returns>
    internal static bool TryQuantize(ReadOnlySpan<float> values, Span<byte> codes, out Codebook codebook)
    {
        Invariant.Check(values.Length > 0);
        Invariant.Check(codes.Length == values.Length);
        var shift = (float)(Sum(values, 0, squares: false) / values.Length);
        var sigma = Math.Sqrt(Sum(values, shift, squares: true) / (values.Length - 1));
        var scale = (float)(1.5 * sigma);
        scale = scale >= Codebook.ScaleMin ? scale : 1; // NaN (a single value) and 0 included
        if (float.IsInfinity(scale) || !float.IsFinite(shift))
        {
            codebook = default;
            return false;
        }

        Span<double> sums = stackalloc double[4];
        Code(values, shift, scale, codes, sums);
        var counts = CodeCounts.Of(codes);
        codebook = new Codebook(
            shift, scale, Level(sums[0], counts.Of0), Level(sums[1], counts.Of1), Level(sums[2], counts.Of2), Level(sums[3], counts.Of3));
        return codebook.IsFinite && codebook.IsInForm(counts);
    }

    private static float Level(double sum, int count) => count == 0 ? 0 : (float)(sum / count);

    // Σ (v − centre), or of its squares.
    private static double Sum(ReadOnlySpan<float> values, double centre, bool squares)
    {
        var total = 0.0;
        var centres = Vector256.Create(centre);
        Span<double> lanes = stackalloc double[Lanes];
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values.Slice(start, Math.Min(Block, values.Length - start));
            var (a, b) = (Vector256<double>.Zero, Vector256<double>.Zero);
            var i = 0;
            for (; i + Lanes <= block.Length; i += Lanes)
            {
                var (low, high) = Widen(block, i);
                (low, high) = (low - centres, high - centres);
                a += squares ? low * low : low;
                b += squares ? high * high : high;
            }

            a.CopyTo(lanes);
            b.CopyTo(lanes[4..]);
            for (; i < block.Length; i++)
            {
                var c = block[i] - centre;
                lanes[i % Lanes] += squares ? c * c : c;
            }

            total += InOrder(lanes);
        }

        return total;
    }

    /// <summary>Writes the codes and adds up v − shift per bin.</summary>
    private static void Code(ReadOnlySpan<float> values, float shift, float scale, Span<byte> codes, Span<double> sums)
    {
        sums.Clear();
        Span<double> lanes = stackalloc double[4 * Lanes];
        for (var start = 0; start < values.Length; start += Block)
        {
            var block = values.Slice(start, Math.Min(Block, values.Length - start));
            lanes.Clear();
            CodeBlock(block, shift, scale, codes[start..], lanes);
            for (var bin = 0; bin < 4; bin++)
            {
                sums[bin] += InOrder(lanes.Slice(bin * Lanes, Lanes));
            }
        }
    }

    private static void CodeBlock(ReadOnlySpan<float> block, float shift, float scale, Span<byte> codes, Span<double> lanes)
    {
        var (i, wide, half) = (0, 1.5 * scale, 0.5 * scale);
        var bins = new BinSums(shift, wide, half);
        for (; i + Lanes <= block.Length; i += Lanes)
        {
            var (low, high) = Widen(block, i);
            var (lowBits, highBits) = bins.Add(low, high);
            BinaryPrimitives.WriteUInt64LittleEndian(codes[i..], Spread(lowBits) | (Spread(highBits) << 1));
        }

        bins.CopyTo(lanes);
        for (; i < block.Length; i++)
        {
            var c = block[i] - (double)shift;
            var code = c > half ? 3 : c >= -half ? 2 : c > -wide ? 1 : 0;
            codes[i] = (byte)code;
            lanes[(code * Lanes) + (i % Lanes)] += c;
        }
    }

    private static double InOrder(ReadOnlySpan<double> lanes)
    {
        var sum = lanes[0];
        for (var i = 1; i < lanes.Length; i++)
        {
            sum += lanes[i];
        }

        return sum;
    }

    private static (Vector256<double> Low, Vector256<double> High) Widen(ReadOnlySpan<float> values, int i) =>
        Vector256.Widen(Vector256.Create(values.Slice(i, Lanes)));

    // Eight bits to the lowest places of eight bytes.
    private static ulong Spread(uint bits) => (((bits & 0x7F) * 0x0002_0408_1020_4081UL) & 0x0101_0101_0101_0101) | ((ulong)(bits & 0x80) << 49);

    /// <summary>Sums of eight lanes for each of four bins.</summary>
    private struct BinSums(double shift, double wide, double half)
    {
        private readonly Vector256<double> _shift = Vector256.Create(shift), _wide = Vector256.Create(-wide);
        private readonly Vector256<double> _lowHalf = Vector256.Create(-half), _highHalf = Vector256.Create(half);
        private Vector256<double> _a0, _a1, _a2, _a3, _b0, _b1, _b2, _b3;

        /// <summary>Adds eight values; gives the low and the high bit of their codes.</summary>
        public (uint Low, uint High) Add(Vector256<double> a, Vector256<double> b)
        {
            var (lowA, highA) = AddFour(a - _shift, ref _a0, ref _a1, ref _a2, ref _a3);
            var (lowB, highB) = AddFour(b - _shift, ref _b0, ref _b1, ref _b2, ref _b3);
            return (lowA | (lowB << 4), highA | (highB << 4));
        }

        public readonly void CopyTo(Span<double> lanes)
        {
            _a0.CopyTo(lanes);
            _b0.CopyTo(lanes[4..]);
            _a1.CopyTo(lanes[8..]);
            _b1.CopyTo(lanes[12..]);
            _a2.CopyTo(lanes[16..]);
            _b2.CopyTo(lanes[20..]);
            _a3.CopyTo(lanes[24..]);
            _b3.CopyTo(lanes[28..]);
        }

        private readonly (uint Low, uint High) AddFour(
            Vector256<double> c, ref Vector256<double> s0, ref Vector256<double> s1, ref Vector256<double> s2, ref Vector256<double> s3)
        {
            var from1 = Vector256.GreaterThan(c, _wide);
            var from2 = Vector256.GreaterThanOrEqual(c, _lowHalf);
            var from3 = Vector256.GreaterThan(c, _highHalf);
            s0 += Vector256.AndNot(c, from1);
            s1 += Vector256.AndNot(c & from1, from2);
            s2 += Vector256.AndNot(c & from2, from3);
            s3 += c & from3;
            var oddBits = Vector256.AndNot(from1, from2).ExtractMostSignificantBits() | from3.ExtractMostSignificantBits();
            return (oddBits, from2.ExtractMostSignificantBits());
        }
    }
}
