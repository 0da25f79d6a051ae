using Cairn.Base;

namespace Cairn.Model;

/// <summary>Chooses the next token from logits, the same one everywhere for the same logits and seed.</summary>
internal sealed class Sampler
{
    private readonly SamplingSettings _settings;
    private readonly double[] _probabilities;
    private readonly int[] _order;
    private SeededRandom _random;

    public Sampler(SamplingSettings settings, int vocabulary)
    {
        _settings = settings;
        _probabilities = new double[vocabulary];
        _order = new int[vocabulary];
        _random = new SeededRandom(settings.Seed, "generate");
    }

    public int Choose(ReadOnlySpan<float> logits)
    {
        var best = Likeliest(logits);
        if (_settings.Temperature == 0)
        {
            return best;
        }

        var sum = 0.0;
        for (var i = 0; i < logits.Length; i++)
        {
            _probabilities[i] = DeterministicMath.Exp((logits[i] - (double)logits[best]) / _settings.Temperature);
            sum += _probabilities[i];
        }

        return _settings.TopP < 1 ? DrawNucleus(sum) : DrawAny(sum);
    }

    // Ties go to the lower id, so that no sort or scan order decides.
    private static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            best = logits[i] > logits[best] ? i : best;
        }

        return best;
    }

    private int DrawNucleus(double sum)
    {
        for (var i = 0; i < _order.Length; i++)
        {
            _order[i] = i;
        }

        Array.Sort(_order, (left, right) =>
        {
            var order = _probabilities[right].CompareTo(_probabilities[left]);
            return order != 0 ? order : left.CompareTo(right);
        });
        var (count, kept) = (0, 0.0);
        while (count < _order.Length && (count == 0 || kept < _settings.TopP * sum))
        {
            kept += _probabilities[_order[count++]];
        }

        var at = _random.NextDouble() * kept;
        for (var i = 0; i < count - 1; i++)
        {
            at -= _probabilities[_order[i]];
            if (at < 0)
            {
                return _order[i];
            }
        }

        return _order[count - 1];
    }

    private int DrawAny(double sum)
    {
        var at = _random.NextDouble() * sum;
        var last = 0;
        for (var i = 0; i < _probabilities.Length; i++)
        {
            at -= _probabilities[i];
            if (at < 0)
            {
                return i;
            }

            last = _probabilities[i] > 0 ? i : last;
        }

        return last;
    }
}
