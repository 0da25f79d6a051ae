using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>What the codes of one tensor stand for: a table of four values for each scale code. Decoding is one look-up.</summary>
public sealed class LevelBook
{
    /// <summary>Rows of a table with scales: codes 0 to 14, and 15 for a chunk of zeros.</summary>
    public const int ScaleCodes = 16;

    /// <summary>The scale code of a chunk all of whose values are zero.</summary>
    public const int ZeroScale = 15;

    /// <summary>A chunk may have any code: every bit.</summary>
    internal const int AllCodes = -1;

    private readonly float[] _table;

    internal LevelBook(Codebook codebook)
    {
        (Kind, Codebook) = (QuantizerKind.Published, codebook);
        _table = [codebook.ValueOf(0), codebook.ValueOf(1), codebook.ValueOf(2), codebook.ValueOf(3)];
    }

    internal LevelBook(QuantizerKind kind, ChunkLevels levels)
    {
        Invariant.Check(kind != QuantizerKind.Published);
        (Kind, Levels) = (kind, levels);
        _table = new float[4 * ScaleCodes];
        var (low, ratio, spread) = (ChunkLevels.ToSingle(levels.Top), ChunkLevels.ToSingle(levels.Ratio), ChunkLevels.ToSingle(levels.Spread));
        for (var scale = 0; scale < ZeroScale; scale++, low *= ratio)
        {
            var high = low * spread;
            ReadOnlySpan<float> row = kind == QuantizerKind.Sign ? [low, -low, 0, 0] : [low, high, -low, -high];
            row.CopyTo(_table.AsSpan(4 * scale));
        }
    }

    /// <summary>Whether a chunk has only codes that it may have.</summary>
    /// <param name="codes">Of one chunk, each 0 to 3.</param>
    /// <param name="scale">Its scale code, or 0 where there are none.</param>
    /// <param name="allowed">A bit for each code that a chunk which is not zero may have, or <see cref="AllCodes"/>.</param>
    internal static bool MayHave(ReadOnlySpan<byte> codes, int scale, int allowed)
    {
        if (scale == ZeroScale)
        {
            return !codes.ContainsAnyExcept((byte)0);
        }

        if (allowed == AllCodes)
        {
            return true;
        }

        var counts = CodeCounts.Of(codes);
        return ((allowed & 1) != 0 || counts.Of0 == 0) && ((allowed & 2) != 0 || counts.Of1 == 0)
            && ((allowed & 4) != 0 || counts.Of2 == 0) && ((allowed & 8) != 0 || counts.Of3 == 0);
    }

    /// <summary>Of which quantiser.</summary>
    public QuantizerKind Kind { get; }

    /// <summary>The published quantiser's numbers.</summary>
    public Codebook Codebook { get; }

    /// <summary>Our quantisers' numbers.</summary>
    internal ChunkLevels Levels { get; }

    /// <summary>Values in rows of four, a row for each scale code; one row where there are no scales.</summary>
    public ReadOnlySpan<float> Table => _table;
}

/// <summary>The three numbers of a tensor under our quantisers, each the upper half of an fp32 (bfloat16).</summary>
/// <param name="Top">The low level of scale code 0.</param>
/// <param name="Ratio">From one scale code to the next, at most 1; exactly 1 where no chunk has another code than 0 and 15.</param>
/// <param name="Spread">High level over low level, at least 1; exactly 1 where no code is high.</param>
internal readonly record struct ChunkLevels(ushort Top, ushort Ratio, ushort Spread)
{
    public const ushort One = 0x3F80;

    public static float ToSingle(ushort upper) => BitConverter.UInt32BitsToSingle((uint)upper << 16);

    /// <summary>The nearest bfloat16, ties to even.</summary>
    /// <param name="x">Finite.</param>
    public static ushort FromSingle(float x)
    {
        var bits = BitConverter.SingleToUInt32Bits(x);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
