using Cairn.Base;

namespace Cairn.Sparse;

/// <summary>How likely each gap between neighbouring places is, with or without a high code at its end: the tables of the small mode, made from whole numbers alone so
/// that any program can make them again (docs/wire.md).</summary>
/// <remarks>A gap is the number of elements skipped before a place. Gaps fall into 40 classes, in each of which the low bits are sent as they are. If places were
/// strewn evenly, gaps would follow one geometric law; in real updates they cluster along rows, so a second law with an eighth of the mean is mixed in, in one of 8
/// parts, and a high code is as likely as one of 8 parts says. A section names the pair that makes it shortest.</remarks>
internal sealed class GapModels
{
    /// <summary>Classes of gaps.</summary>
    public const int Classes = 40;

    /// <summary>The most symbols that a table has.</summary>
    public const int SymbolsMax = 2 * Classes;

    /// <summary>Probabilities are multiples of 1/4096.</summary>
    public const int ScaleBits = 12;

    /// <summary>Mixtures, and likewise parts of high codes.</summary>
    public const int Choices = 8;

    // The part of the clustered law, of 256.
    private static readonly int[] Clustered = [0, 13, 26, 51, 77, 115, 154, 192];
    private readonly GapModel[] _models;
    private readonly GapModel[] _classModels = new GapModel[Choices];
    private readonly GapModel[] _sizeModels = new GapModel[Choices];

    /// <summary>Makes all tables.</summary>
    /// <param name="keep">Values sent of 4096 elements.</param>
    /// <param name="sizes">2 if symbols tell high from low codes, else 1.</param>
    /// <param name="rawCodeBits">Bits of a code that no symbol tells: 1 or 2.</param>
    public GapModels(int keep, int sizes, int rawCodeBits)
    {
        (Sizes, RawCodeBits) = (sizes, rawCodeBits);
        Reading = new uint[Classes * sizes];
        for (var symbol = 0; symbol < Reading.Length; symbol++)
        {
            var (first, bits) = (FirstOf(symbol / sizes), BitsOf(symbol / sizes));
            Reading[symbol] = ((uint)(first + 1) << 16) | ((uint)(rawCodeBits + bits) << 12) | ((1U << bits) - 1);
        }

        _models = new GapModel[sizes == 2 ? Choices * Choices : Choices];
        for (var mixture = 0; mixture < Choices; mixture++)
        {
            var classes = ClassMasses(keep, Clustered[mixture]);
            _classModels[mixture] = new GapModel(classes);
            _sizeModels[mixture] = new GapModel([15UL - (2 * (ulong)mixture), (2 * (ulong)mixture) + 1]);
            for (var high = 0; high < _models.Length / Choices; high++)
            {
                _models[(high * Choices) + mixture] = new GapModel(sizes == 2 ? WithSizes(classes, (2 * high) + 1) : classes);
            }
        }
    }

    /// <summary>2 if symbols tell high from low codes, else 1.</summary>
    public int Sizes { get; }

    /// <summary>Bits of a code that no symbol tells.</summary>
    public int RawCodeBits { get; }

    /// <summary>For each symbol: its first gap + 1 (from bit 16), the bits that follow it, code and gap (4 from bit 12), the mask of the gap's.</summary>
    public uint[] Reading { get; }

    /// <summary>Symbols of a table: class · Sizes, and 1 more for a high code.</summary>
    public int Symbols => Classes * Sizes;

    /// <summary>How many tables there are.</summary>
    public int Count => _models.Length;

    /// <summary>One table.</summary>
    public GapModel this[int model] => _models[model];

    /// <summary>The table for symbols that occur so often: the mixture under which their classes cost the least, and the part of high codes under which their sizes
    /// do; of equals the first.</summary>
    public int Best(ReadOnlySpan<int> histogram)
    {
        Span<int> classes = stackalloc int[Classes];
        Span<int> sizes = [0, 0];
        for (var i = 0; i < Classes; i++)
        {
            var (low, high) = (histogram[i * Sizes], Sizes == 2 ? histogram[(2 * i) + 1] : 0);
            classes[i] = low + high;
            sizes[0] += low;
            sizes[1] += high;
        }

        return Cheapest(_classModels, classes) + (Sizes == 2 ? Choices * Cheapest(_sizeModels, sizes) : 0);
    }

    private static int Cheapest(GapModel[] models, ReadOnlySpan<int> histogram)
    {
        var (best, least) = (0, long.MaxValue);
        for (var model = 0; model < models.Length; model++)
        {
            var cost = models[model].Cost(histogram);
            (best, least) = cost < least ? (model, cost) : (best, least);
        }

        return best;
    }

    /// <summary>The first gap of a class.</summary>
    public static int FirstOf(int gapClass) => gapClass switch
    {
        < 32 => 8 * gapClass,
        < 36 => 256 + (64 * (gapClass - 32)),
        < 38 => 512 + (256 * (gapClass - 36)),
        _ => 1024 << (gapClass - 38),
    };

    /// <summary>How many low bits a gap of a class has.</summary>
    public static int BitsOf(int gapClass) => gapClass switch
    {
        < 32 => 3,
        < 36 => 6,
        < 38 => 8,
        _ => gapClass - 28,
    };

    /// <summary>The class of a gap below 4096.</summary>
    public static int ClassOf(int gap) =>
        gap < 256 ? gap >> 3 : gap < 512 ? 28 + (gap >> 6) : gap < 1024 ? 34 + (gap >> 8) : gap < 2048 ? 38 : 39;

    private static ulong[] ClassMasses(int keep, int clustered)
    {
        var masses = new ulong[Classes];
        var even = (ulong)keep << 20;
        var near = Math.Min(8 * even, 1UL << 31);
        var far = even * (ulong)(256 - clustered) * 8 / (ulong)(2048 - clustered);
        AddLaw(masses, near, (ulong)clustered);
        AddLaw(masses, Math.Min(far, 1UL << 31), (ulong)(256 - clustered));
        return masses;
    }

    // A geometric law: each gap ends with probability p / 2^32.
    private static void AddLaw(ulong[] masses, ulong p, ulong part)
    {
        var left = 1UL << 32;
        var gapClass = 0;
        for (var gap = 0; gap < TopK.ChunkMax; gap++)
        {
            gapClass = ClassOf(gap);
            var after = (left * ((1UL << 32) - p)) >> 32;
            masses[gapClass] += (left - after) * part;
            left = after;
        }

        masses[gapClass] += left * part;
    }

    private static ulong[] WithSizes(ulong[] classes, int highOf16)
    {
        var masses = new ulong[2 * Classes];
        for (var i = 0; i < Classes; i++)
        {
            masses[2 * i] = classes[i] * (ulong)(16 - highOf16);
            masses[(2 * i) + 1] = classes[i] * (ulong)highOf16;
        }

        return masses;
    }
}

/// <summary>One table of probabilities, ready for range coding.</summary>
internal sealed class GapModel
{
    private const int Whole = 1 << GapModels.ScaleBits;
    private readonly int[] _costs;

    /// <summary>Gives each symbol its part of 4096 in proportion to its mass, at least 1; what rounding left goes to the largest.</summary>
    /// <param name="masses">Not all zero.</param>
    public GapModel(ulong[] masses)
    {
        var total = (UInt128)0;
        foreach (var mass in masses)
        {
            total += mass;
        }

        Frequencies = new ushort[masses.Length];
        Starts = new ushort[masses.Length];
        _costs = new int[masses.Length];
        var (left, largest) = (Whole, 0);
        for (var i = 0; i < masses.Length; i++)
        {
            Frequencies[i] = (ushort)Math.Max(1, (int)((UInt128)masses[i] * Whole / total));
            left -= Frequencies[i];
            largest = Frequencies[i] > Frequencies[largest] ? i : largest;
        }

        Frequencies[largest] = (ushort)(Frequencies[largest] + left);
        Slots = new uint[Whole];
        var start = 0;
        for (var i = 0; i < masses.Length; i++)
        {
            Starts[i] = (ushort)start;
            for (var j = 0; j < Frequencies[i]; j++)
            {
                Slots[start + j] = (uint)i | ((uint)j << 8) | ((uint)Frequencies[i] << 20);
            }

            start += Frequencies[i];
            _costs[i] = (int)Math.Round(65536 * DeterministicMath.Log(Whole / (double)Frequencies[i]) / 0.6931471805599453);
        }

        Invariant.Check(start == Whole && Frequencies[largest] < Whole);
    }

    /// <summary>Of 4096.</summary>
    public ushort[] Frequencies { get; }

    /// <summary>The sum of all frequencies before a symbol's.</summary>
    public ushort[] Starts { get; }

    /// <summary>For each of 4096 places: symbol (8 bits), place − start (12 bits), the symbol's frequency (12 bits).</summary>
    public uint[] Slots { get; }

    /// <summary>Bits · 65536 that symbols cost which occur so often.</summary>
    public long Cost(ReadOnlySpan<int> histogram)
    {
        var cost = 0L;
        for (var i = 0; i < _costs.Length; i++)
        {
            cost += (long)histogram[i] * _costs[i];
        }

        return cost;
    }
}
