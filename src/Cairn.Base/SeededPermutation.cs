namespace Cairn.Base;

/// <summary>A pseudo-random order of the numbers 0…count−1 in constant memory: the place of any one is computed, none is stored.</summary>
/// <remarks>A four-round Feistel network over the next even number of bits, walked until it lands inside the range (fewer than four
/// steps on average). Specified in docs/wire.md, so that any language can repeat it.</remarks>
public readonly struct SeededPermutation
{
    private const int Rounds = 4;
    private readonly ulong _key0, _key1, _key2, _key3;
    private readonly int _halfBits;

    /// <summary>Fixes the order for a seed and an index.</summary>
    /// <param name="count">How many numbers; at least 1, below 2^62.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What is put in order, such as "epoch".</param>
    /// <param name="index">Which order, such as the number of the epoch.</param>
    public SeededPermutation(long count, ulong seed, string purpose, long index)
    {
        Invariant.Check(count is > 0 and < (1L << 62));
        Count = count;
        var random = new SeededRandom(seed, purpose, index, count);
        (_key0, _key1, _key2, _key3) = (random.NextUInt64(), random.NextUInt64(), random.NextUInt64(), random.NextUInt64());
        var bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)Math.Max(count - 1, 1));
        _halfBits = Math.Max(1, (bits + 1) / 2);
    }

    /// <summary>How many numbers are put in order.</summary>
    public long Count { get; }

    /// <summary>The number at a place of the order.</summary>
    /// <param name="place">0 to <see cref="Count"/> − 1.</param>
    public long At(long place)
    {
        Invariant.Check((ulong)place < (ulong)Count);
        var value = (ulong)place;
        do
        {
            value = Mix(value);
        }
        while (value >= (ulong)Count);
        return (long)value;
    }

    private ulong Mix(ulong value)
    {
        var mask = (1UL << _halfBits) - 1;
        var (left, right) = (value >> _halfBits, value & mask);
        for (var round = 0; round < Rounds; round++)
        {
            var key = round switch { 0 => _key0, 1 => _key1, 2 => _key2, _ => _key3 };
            (left, right) = (right, left ^ (Scramble(right + key) & mask));
        }

        return (left << _halfBits) | right;
    }

    // The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
    private static ulong Scramble(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
