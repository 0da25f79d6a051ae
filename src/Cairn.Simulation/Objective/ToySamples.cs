using System.Buffers;
using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>The data of the toy: each sample has some active features of +1 or −1, and a target that a hidden model gives, with noise.</summary>
internal sealed class ToySamples : IDisposable
{
    /// <summary>Active features of a sample.</summary>
    public const int Active = 32;

    private const int SignAt = 15;
    // Place in the low bits, sign in the highest: a product with ±1 is the flip of one bit, without a branch that nobody could predict.
    private readonly ushort[] _features;
    private readonly double[] _targets;
    private readonly int _mask;

    public ToySamples(ulong seed, long count, int length)
    {
        Invariant.Check(length is > 0 and <= 1 << SignAt && (length & (length - 1)) == 0);
        _mask = length - 1;
        var random = new SeededRandom(seed, "toy");
        var hidden = new double[length];
        for (var i = 0; i < length; i++)
        {
            hidden[i] = (random.NextUInt64() & 1) == 0 ? 1 : -1;
        }

        // Rented: a thousand seeds want as many large arrays, and every place that is read is written first.
        _features = ArrayPool<ushort>.Shared.Rent(checked((int)(count * Active)));
        _targets = ArrayPool<double>.Shared.Rent((int)count);
        for (var s = 0; s < count; s++)
        {
            for (var i = 0; i < Active; i += 4)
            {
                // Four features of each draw; the length is a power of two, so that masking is uniform.
                var bits = random.NextUInt64();
                for (var j = 0; j < 4; j++, bits >>= 16)
                {
                    _features[(s * Active) + i + j] = (ushort)(bits & (ulong)(_mask | (1 << SignAt)));
                }
            }

            _targets[s] = Dot(hidden, s) + (0.5 * random.NextDouble()) - 0.25;
        }
    }

    public void Dispose()
    {
        ArrayPool<ushort>.Shared.Return(_features);
        ArrayPool<double>.Shared.Return(_targets);
    }

    /// <summary>Prediction minus target.</summary>
    public double Residual(double[] parameters, long sample) => Dot(parameters, sample) - _targets[sample];

    /// <summary>The prediction, in four sums that do not wait for one another, added in a fixed order.</summary>
    public double Dot(double[] parameters, long sample)
    {
        var (a, b, c, d, mask) = (0.0, 0.0, 0.0, 0.0, _mask);
        var features = _features.AsSpan((int)sample * Active, Active);
        for (var i = 0; i < features.Length; i += 4)
        {
            a += Signed(parameters[features[i] & mask], features[i]);
            b += Signed(parameters[features[i + 1] & mask], features[i + 1]);
            c += Signed(parameters[features[i + 2] & mask], features[i + 2]);
            d += Signed(parameters[features[i + 3] & mask], features[i + 3]);
        }

        return a + b + (c + d);
    }

    /// <summary>Adds a multiple of the sample's features.</summary>
    public void Add(double[] parameters, long sample, double factor)
    {
        var mask = _mask;
        foreach (var feature in _features.AsSpan((int)sample * Active, Active))
        {
            parameters[feature & mask] += Signed(factor, feature);
        }
    }

    private static double Signed(double value, ushort feature) =>
        BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(value) ^ ((long)(feature >> SignAt) << 63));
}
