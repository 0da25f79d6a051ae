using System.Buffers;
using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>The data of the toy: each sample has some active features of +1 or −1, and a target that a hidden model gives, with noise.</summary>
internal sealed class ToySamples : IDisposable
{
    /// <summary>Active features of a sample.</summary>
    public const int Active = 32;

    private const int Packed = 4;
    private const int Bits = 16;
    private const int SignAt = Bits - 1;

    // Four to a word. Place in the low bits, sign in the highest: a product with ±1 is the flip of one bit, without a branch that nobody could predict.
    private readonly ulong[] _features;
    private readonly double[] _targets;
    private readonly ulong _mask;

    public ToySamples(ulong seed, long count, int length)
    {
        Invariant.Check(length is > 0 and <= 1 << SignAt && (length & (length - 1)) == 0);
        _mask = (ulong)length - 1;
        var random = new SeededRandom(seed, "toy");
        var hidden = new double[length];
        for (var i = 0; i < length; i++)
        {
            hidden[i] = (random.NextUInt64() & 1) == 0 ? 1 : -1;
        }

        // Rented: a thousand seeds want as many large arrays, and every place that is read is written first.
        _features = ArrayPool<ulong>.Shared.Rent(checked((int)(count * Active / Packed)));
        _targets = ArrayPool<double>.Shared.Rent((int)count);
        var one = _mask | (1UL << SignAt);
        var all = one | (one << Bits) | (one << (2 * Bits)) | (one << (3 * Bits));
        for (var s = 0; s < count; s++)
        {
            foreach (ref var four in Of(s))
            {
                // Four features of each draw; the length is a power of two, so that masking is uniform.
                four = random.NextUInt64() & all;
            }

            _targets[s] = Dot(hidden, s) + (0.5 * random.NextDouble()) - 0.25;
        }
    }

    public void Dispose()
    {
        ArrayPool<ulong>.Shared.Return(_features);
        ArrayPool<double>.Shared.Return(_targets);
    }

    /// <summary>Prediction minus target.</summary>
    public double Residual(double[] parameters, long sample) => Dot(parameters, sample) - _targets[sample];

    /// <summary>The prediction, in four sums that do not wait for one another, added in a fixed order.</summary>
    public double Dot(double[] parameters, long sample)
    {
        var (a, b, c, d, mask) = (0.0, 0.0, 0.0, 0.0, _mask);
        foreach (var four in Of(sample))
        {
            a += Signed(parameters[four & mask], four << (3 * Bits));
            b += Signed(parameters[(four >> Bits) & mask], four << (2 * Bits));
            c += Signed(parameters[(four >> (2 * Bits)) & mask], four << Bits);
            d += Signed(parameters[(four >> (3 * Bits)) & mask], four);
        }

        return a + b + (c + d);
    }

    /// <summary>Adds a multiple of the sample's features.</summary>
    public void Add(double[] parameters, long sample, double factor)
    {
        var mask = _mask;
        foreach (var four in Of(sample))
        {
            parameters[four & mask] += Signed(factor, four << (3 * Bits));
            parameters[(four >> Bits) & mask] += Signed(factor, four << (2 * Bits));
            parameters[(four >> (2 * Bits)) & mask] += Signed(factor, four << Bits);
            parameters[(four >> (3 * Bits)) & mask] += Signed(factor, four);
        }
    }

    private Span<ulong> Of(long sample) => _features.AsSpan((int)sample * (Active / Packed), Active / Packed);

    // The sign stands in the highest bit.
    private static double Signed(double value, ulong sign) =>
        BitConverter.UInt64BitsToDouble(BitConverter.DoubleToUInt64Bits(value) ^ (sign & (1UL << 63)));
}
