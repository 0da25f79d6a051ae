using System.Buffers.Binary;
using System.Numerics;

namespace Cairn.Base;

/// <summary>A portable pseudo-random stream, specified so that any language can repeat it (docs/wire.md): xoshiro256** seeded by
/// SHA-256 over the run's seed, a purpose and indices. Streams of different purposes never shift one another.</summary>
/// <remarks>A mutable struct: pass by reference or keep in a field. Never used for keys.</remarks>
public struct SeededRandom
{
    private ulong _s0, _s1, _s2, _s3;

    /// <summary>Opens the stream of a purpose.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">A short name such as "init" or "probe".</param>
    /// <param name="indices">What the stream is for: round, uid, tensor number…</param>
    public SeededRandom(ulong seed, string purpose, params ReadOnlySpan<long> indices)
    {
        using var hasher = new Hasher("cairn/random/" + purpose);
        hasher.Append((long)seed);
        foreach (var index in indices)
        {
            hasher.Append(index);
        }

        this = new SeededRandom(hasher.Finish());
    }

    /// <summary>Opens the stream that a digest (a beacon's output) names.</summary>
    /// <param name="seed">Used as the 256 bits of state.</param>
    public SeededRandom(Digest seed)
    {
        Span<byte> bytes = stackalloc byte[Digest.Size];
        seed.CopyTo(bytes);
        _s0 = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        _s1 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        _s2 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        _s3 = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]) | 1;
    }

    /// <summary>64 uniform bits (xoshiro256**, Blackman and Vigna 2018).</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A uniform number below a bound, without bias: numbers from the incomplete last interval are drawn again.</summary>
    /// <param name="bound">At least 1.</param>
    public ulong NextBelow(ulong bound)
    {
        Invariant.Check(bound > 0);
        var threshold = unchecked(0 - bound) % bound;
        while (true)
        {
            var high = Math.BigMul(NextUInt64(), bound, out var low);
            if (low >= threshold)
            {
                return high;
            }
        }
    }

    /// <summary>A uniform number in [0, bound).</summary>
    /// <param name="bound">At least 1.</param>
    public int NextBelow(int bound)
    {
        Invariant.Check(bound > 0);
        return (int)NextBelow((ulong)bound);
    }

    /// <summary>A uniform double in [0, 1) with 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A standard normal number (Marsaglia's polar method over <see cref="DeterministicMath"/>: same bits everywhere).</summary>
    public double NextNormal()
    {
        while (true)
        {
            var u = (2 * NextDouble()) - 1;
            var v = (2 * NextDouble()) - 1;
            var s = (u * u) + (v * v);
            if (s is > 0 and < 1)
            {
                return u * Math.Sqrt(-2 * DeterministicMath.Log(s) / s);
            }
        }
    }
}
