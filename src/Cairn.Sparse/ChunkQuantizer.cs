using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>Our quantiser: the sign of each value and, in two bits, whether it is a low or a high one; a scale for each chunk in 4 bits.</summary>
/// <remarks>The kept values of a chunk are close to one another in size, chunks are not: on real pseudo-gradients a scale for each chunk leaves 0.1 % of the energy
/// behind where the published quantiser leaves 0.4 to 3 % (docs/log.md). The scales of a tensor run from its largest down in 15 equal ratios. The level of signs alone
/// is the mean of |v| / scale, chunk by chunk in double; two levels are those of <see cref="SizeHistogram"/>.
/// Cost: two or three passes over the kept values. Tier T2.</remarks>
internal sealed class ChunkQuantizer(QuantizerKind kind) : IQuantizer
{
    // Chunks more than 2^10 below the largest of their tensor take the lowest scale, or are zero.
    private const double RangeMax = 1024;
    private const float TopMin = 1e-20f;

    // Chunks whose values are smaller in the mean are zero: what they hold, error feedback keeps.
    private const float Tiny = 1e-17f;
    private const float TopMax = 1e6f;
    private const float RatioMin = 0.25f;
    private const float SpreadMax = 64;

    // Of sign and magnitude: 0 and 2.
    private const int LowCodes = 0b0101;

    /// <inheritdoc/>
    public QuantizerKind Kind => kind;

    /// <inheritdoc/>
    public int BitsPerValue => kind == QuantizerKind.Sign ? 1 : 2;

    /// <inheritdoc/>
    public int HeaderBytes => 3 * sizeof(ushort);

    /// <inheritdoc/>
    public bool HasScales => true;

    /// <inheritdoc/>
    public LevelBook? TryQuantize(TensorGrid grid, ReadOnlySpan<float> values, Span<byte> codes, Span<byte> scales)
    {
        Invariant.Check(values.Length == grid.ValueCount && codes.Length == values.Length && scales.Length == grid.ChunkCount);
        var means = new float[grid.ChunkCount];
        var (smallest, largest) = Means(grid, values, means);
        if (largest < Tiny)
        {
            scales.Fill(LevelBook.ZeroScale);
            codes.Clear();
            return new LevelBook(kind, default);
        }

        var ratio = RatioOf(smallest, largest);
        if (!(largest <= TopMax))
        {
            return null;
        }

        Span<float> ladder = stackalloc float[LevelBook.ZeroScale];
        Ladder(largest, ChunkLevels.ToSingle(ratio), ladder);
        var used = 0;
        for (var chunk = 0; chunk < means.Length; chunk++)
        {
            scales[chunk] = ScaleOf(means[chunk], ladder);
            used |= 1 << scales[chunk];
        }

        var levels = Fit(grid, values, means, scales, ladder) with { Ratio = HasLowerRungs(used) ? ratio : ChunkLevels.One };
        var book = new LevelBook(kind, levels);
        if (!AreInRange(levels))
        {
            return null;
        }

        var high = Code(grid, values, scales, book, codes);
        return high || levels.Spread == ChunkLevels.One ? book : new LevelBook(kind, levels with { Spread = ChunkLevels.One });
    }

    /// <inheritdoc/>
    public void Write(LevelBook book, Span<byte> header)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(header, book.Levels.Top);
        BinaryPrimitives.WriteUInt16LittleEndian(header[2..], book.Levels.Ratio);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], book.Levels.Spread);
    }

    /// <inheritdoc/>
    public LevelBook? TryRead(ReadOnlySpan<byte> header)
    {
        var levels = new ChunkLevels(
            BinaryPrimitives.ReadUInt16LittleEndian(header), BinaryPrimitives.ReadUInt16LittleEndian(header[2..]),
            BinaryPrimitives.ReadUInt16LittleEndian(header[4..]));
        return levels == default || AreInRange(levels) ? new LevelBook(kind, levels) : null;
    }

    /// <inheritdoc/>
    public bool IsBookInForm(LevelBook book, int scalesUsed)
    {
        // A book of zeros goes with zero chunks alone. Else the largest chunk has scale code 0, and the ratio is 1 just where no chunk needs it: then codes 1 to 14
        // would say what 0 says.
        var isZero = book.Levels == default;
        return isZero || scalesUsed == 1 << LevelBook.ZeroScale
            ? isZero && scalesUsed == 1 << LevelBook.ZeroScale
            : (scalesUsed & 1) != 0 && HasLowerRungs(scalesUsed) == (book.Levels.Ratio != ChunkLevels.One);
    }

    /// <inheritdoc/>
    public int CodesAllowed(LevelBook book) => kind == QuantizerKind.SignMagnitude && book.Levels.Spread == ChunkLevels.One ? LowCodes : LevelBook.AllCodes;

    /// <inheritdoc/>
    public bool UsesItsBook(LevelBook book, ReadOnlySpan<byte> codes) =>
        book.Levels == default || book.Levels.Spread == ChunkLevels.One || CodeCounts.Of(codes) is { Of1: > 0 } or { Of3: > 0 };

    private static bool HasLowerRungs(int scalesUsed) => (scalesUsed & ~1 & ~(1 << LevelBook.ZeroScale)) != 0;

    // Written so that NaN fails.
    private bool AreInRange(ChunkLevels levels)
    {
        var (top, ratio, spread) = (ChunkLevels.ToSingle(levels.Top), ChunkLevels.ToSingle(levels.Ratio), ChunkLevels.ToSingle(levels.Spread));
        return top >= TopMin && top <= TopMax && ratio >= RatioMin && ratio <= 1 && spread >= 1 && spread <= (kind == QuantizerKind.Sign ? 1 : SpreadMax);
    }

    private static ReadOnlySpan<float> ValuesOf(TensorGrid grid, ReadOnlySpan<float> values, int chunk) =>
        values.Slice(grid.FirstValueOf(chunk), grid.KeepOf(chunk));

    /// <summary>The mean size of each chunk's values: value i goes to lane i mod 8, lanes are added from 0 to 7.</summary>
    /// <returns>The smallest and the largest of those that are not tiny; 0 if all are.</returns>
    private static (float Smallest, float Largest) Means(TensorGrid grid, ReadOnlySpan<float> values, Span<float> means)
    {
        var (smallest, largest) = (float.PositiveInfinity, 0f);
        for (var chunk = 0; chunk < means.Length; chunk++)
        {
            var mean = means[chunk] = MeanSize(ValuesOf(grid, values, chunk));
            largest = mean > largest ? mean : largest;
            smallest = mean >= Tiny && mean < smallest ? mean : smallest;
        }

        return (smallest, largest);
    }

    private static float MeanSize(ReadOnlySpan<float> values)
    {
        var lanes = Vector256<float>.Zero;
        var i = 0;
        for (; i + 8 <= values.Length; i += 8)
        {
            lanes += Vector256.Abs(Vector256.Create(values.Slice(i, 8)));
        }

        Span<float> sums = stackalloc float[8];
        lanes.CopyTo(sums);
        for (; i < values.Length; i++)
        {
            sums[i % 8] += Math.Abs(values[i]);
        }

        var sum = sums[0];
        for (var lane = 1; lane < 8; lane++)
        {
            sum += sums[lane];
        }

        return sum / values.Length;
    }

    private static ushort RatioOf(float smallest, float largest)
    {
        var range = Math.Min(RangeMax, largest / (double)smallest);
        return ChunkLevels.FromSingle((float)DeterministicMath.Pow(range, -1.0 / (LevelBook.ZeroScale - 1)));
    }

    private static void Ladder(float top, float ratio, Span<float> ladder)
    {
        for (var i = 0; i < ladder.Length; i++, top *= ratio)
        {
            ladder[i] = top;
        }
    }

    /// <summary>The nearest rung, of equal ones the first; zero for what is below half of the lowest.</summary>
    private static byte ScaleOf(float mean, ReadOnlySpan<float> ladder)
    {
        if (mean < 0.5f * ladder[^1])
        {
            return LevelBook.ZeroScale;
        }

        var below = 0;
        for (var i = 1; i < ladder.Length; i++)
        {
            below += mean < 0.5f * (ladder[i - 1] + ladder[i]) && ladder[i] < ladder[0] ? 1 : 0;
        }

        return (byte)below;
    }

    /// <summary>Low level and spread that leave the least behind.</summary>
    private ChunkLevels Fit(TensorGrid grid, ReadOnlySpan<float> values, ReadOnlySpan<float> means, ReadOnlySpan<byte> scales, ReadOnlySpan<float> ladder)
    {
        var (low, high) = kind == QuantizerKind.Sign
            ? (MeanInScales(grid, means, scales, ladder), 0)
            : TwoLevels(grid, values, scales, ladder);
        low = Math.Max(low, high / SpreadMax);
        var level = ChunkLevels.FromSingle((float)(ladder[0] * low));
        return new ChunkLevels(level, ChunkLevels.One, high == 0 ? ChunkLevels.One : ChunkLevels.FromSingle((float)(high / low)));
    }

    private static double MeanInScales(TensorGrid grid, ReadOnlySpan<float> means, ReadOnlySpan<byte> scales, ReadOnlySpan<float> ladder)
    {
        var (sum, count) = (0.0, 0L);
        for (var chunk = 0; chunk < means.Length; chunk++)
        {
            if (scales[chunk] != LevelBook.ZeroScale)
            {
                var keep = grid.KeepOf(chunk);
                sum += keep * (means[chunk] / (double)ladder[scales[chunk]]);
                count += keep;
            }
        }

        return sum / count;
    }

    private static (double Low, double High) TwoLevels(TensorGrid grid, ReadOnlySpan<float> values, ReadOnlySpan<byte> scales, ReadOnlySpan<float> ladder)
    {
        var histogram = new SizeHistogram();
        for (var chunk = 0; chunk < scales.Length; chunk++)
        {
            if (scales[chunk] != LevelBook.ZeroScale)
            {
                histogram.Count(ValuesOf(grid, values, chunk), 1 / ladder[scales[chunk]]);
            }
        }

        return histogram.TwoLevels();
    }

    /// <summary>Writes the codes; tells whether one is high.</summary>
    private bool Code(TensorGrid grid, ReadOnlySpan<float> values, ReadOnlySpan<byte> scales, LevelBook book, Span<byte> codes)
    {
        var any = 0;
        for (var chunk = 0; chunk < scales.Length; chunk++)
        {
            var own = codes[grid.FirstValueOf(chunk)..grid.FirstValueOf(chunk + 1)];
            if (scales[chunk] == LevelBook.ZeroScale)
            {
                own.Clear();
                continue;
            }

            var row = book.Table.Slice(4 * scales[chunk], 4);
            any |= kind == QuantizerKind.Sign
                ? Signs(ValuesOf(grid, values, chunk), own)
                : SignsAndSizes(ValuesOf(grid, values, chunk), book.Levels.Spread == ChunkLevels.One ? float.PositiveInfinity : 0.5f * (row[0] + row[1]), own);
        }

        return any != 0;
    }

    private static int Signs(ReadOnlySpan<float> values, Span<byte> codes)
    {
        for (var i = 0; i < values.Length; i++)
        {
            codes[i] = values[i] < 0 ? (byte)1 : (byte)0;
        }

        return 0;
    }

    private static int SignsAndSizes(ReadOnlySpan<float> values, float border, Span<byte> codes)
    {
        var any = 0;
        for (var i = 0; i < values.Length; i++)
        {
            var size = Math.Abs(values[i]) > border ? 1 : 0;
            any |= size;
            codes[i] = (byte)((values[i] < 0 ? 2 : 0) | size);
        }

        return any;
    }
}
