using Cairn.Base;

namespace Cairn.Data;

/// <summary>Remembers numbers in memory of fixed size (Bloom 1970): what was added is always found; of what was not, a part that is known is found too.</summary>
internal sealed class SeenFilter
{
    private const int Probes = 8;
    private readonly ulong[] _bits;

    /// <summary>Takes the memory.</summary>
    /// <param name="bytes">At least 8.</param>
    public SeenFilter(long bytes)
    {
        Invariant.Check(bytes >= sizeof(ulong));
        _bits = new ulong[Math.Min(bytes / sizeof(ulong), Array.MaxLength)];
    }

    /// <summary>The part of new numbers that are taken for known now.</summary>
    public double FalsePart
    {
        get
        {
            var set = _bits.Sum(static word => (long)ulong.PopCount(word));
            var (part, product) = ((double)set / (64.0 * _bits.Length), 1.0);
            for (var i = 0; i < Probes; i++)
            {
                product *= part;
            }

            return product;
        }
    }

    /// <summary>Whether a number was added, or is taken for one that was.</summary>
    public bool Contains(ulong number)
    {
        for (var i = 0; i < Probes; i++)
        {
            var (word, bit) = Place(number, i);
            if ((_bits[word] & bit) == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds a number.</summary>
    public void Add(ulong number)
    {
        for (var i = 0; i < Probes; i++)
        {
            var (word, bit) = Place(number, i);
            _bits[word] |= bit;
        }
    }

    private (long Word, ulong Bit) Place(ulong number, int probe)
    {
        var hash = WordRuns.Mixed(number + ((ulong)probe * 0x9E37_79B9_7F4A_7C15));
        return ((long)Math.BigMul(hash, (ulong)_bits.LongLength, out _), 1UL << (int)(WordRuns.Mixed(hash) & 63));
    }
}
