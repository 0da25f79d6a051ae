using System.Runtime.InteropServices;
using Cairn.Base;

namespace Cairn.Model;

/// <summary>Chooses the next token of one text from logits, the same one everywhere for the same logits, text and seed.</summary>
public sealed class Sampler
{
    private readonly SamplingSettings _settings;
    private readonly SamplingSpace _space;
    private readonly Dictionary<int, int> _generated = [];
    private readonly HashSet<int> _read = [];
    private SeededRandom _random;

    /// <summary>Begins a text.</summary>
    /// <param name="settings">How to choose; valid.</param>
    /// <param name="space">Used while a token is chosen.</param>
    /// <param name="prompt">Tokens that stand in the text already.</param>
    public Sampler(SamplingSettings settings, SamplingSpace space, IEnumerable<int> prompt)
    {
        (_settings, _space) = (settings, space);
        _random = new SeededRandom(settings.Seed, "generate");
        if (settings.RepetitionPenalty != 1)
        {
            _read.UnionWith(prompt);
        }
    }

    /// <summary>Chooses a token, which from now on stands in the text.</summary>
    /// <param name="logits">[V], finite.</param>
    public int Choose(ReadOnlySpan<float> logits)
    {
        var token = Pick(logits);
        if (_settings.Adjusts)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_generated, token, out _)++;
        }

        return token;
    }

    private int Pick(ReadOnlySpan<float> logits)
    {
        if (_settings.Temperature == 0 && !_settings.Adjusts)
        {
            return Likeliest(logits);
        }

        var scores = _space.Scores.AsSpan(0, logits.Length);
        for (var i = 0; i < logits.Length; i++)
        {
            scores[i] = logits[i];
        }

        Adjust(scores);
        var best = Likeliest<double>(scores);
        if (_settings.Temperature == 0)
        {
            return best;
        }

        var p = _space.Probabilities.AsSpan(0, logits.Length);
        var sum = 0.0;
        for (var i = 0; i < p.Length; i++)
        {
            p[i] = DeterministicMath.Exp((scores[i] - scores[best]) / _settings.Temperature);
            sum += p[i];
        }

        if (_settings.TopK == 0 && _settings.MinP == 0)
        {
            return _settings.TopP < 1 ? DrawNucleus(p, sum) : DrawAny(p, sum);
        }

        var count = Candidates(p);
        var kept = 0.0;
        foreach (var id in _space.Order.AsSpan(0, count))
        {
            kept += p[id];
        }

        return DrawSorted(p, _settings.TopP < 1 ? _settings.TopP * kept : double.PositiveInfinity, count);
    }

    private void Adjust(Span<double> scores)
    {
        if (!_settings.Adjusts)
        {
            return;
        }

        foreach (var (id, times) in _generated)
        {
            Repeat(scores, id);
            scores[id] -= _settings.PresencePenalty + (_settings.FrequencyPenalty * times);
        }

        foreach (var id in _read)
        {
            if (!_generated.ContainsKey(id))
            {
                Repeat(scores, id);
            }
        }

        foreach (var (id, bias) in _settings.LogitBias)
        {
            if (id < scores.Length)
            {
                scores[id] += bias;
            }
        }
    }

    private void Repeat(Span<double> scores, int id) =>
        scores[id] = scores[id] > 0 ? scores[id] / _settings.RepetitionPenalty : scores[id] * _settings.RepetitionPenalty;

    // Ties go to the lower id, so that no sort or scan order decides.
    private static int Likeliest<T>(ReadOnlySpan<T> scores)
        where T : IComparable<T>
    {
        var best = 0;
        for (var i = 1; i < scores.Length; i++)
        {
            best = scores[i].CompareTo(scores[best]) > 0 ? i : best;
        }

        return best;
    }

    // The ids that top-k and min-p leave, the likeliest first. The likeliest of all has the probability 1.
    private int Candidates(ReadOnlySpan<double> p)
    {
        var most = _settings.TopK == 0 ? p.Length : Math.Min(_settings.TopK, p.Length);
        // The first to leave is the least likely, of equals the one with the highest id.
        var queue = new PriorityQueue<int, (double, int)>();
        for (var i = 0; i < p.Length; i++)
        {
            if (p[i] < _settings.MinP)
            {
                continue;
            }

            if (queue.Count < most)
            {
                queue.Enqueue(i, (p[i], -i));
            }
            else if (p[i] > p[queue.Peek()])
            {
                queue.DequeueEnqueue(i, (p[i], -i));
            }
        }

        var count = queue.Count;
        for (var i = count - 1; i >= 0; i--)
        {
            _space.Order[i] = queue.Dequeue();
        }

        return count;
    }

    private int DrawNucleus(ReadOnlySpan<double> p, double sum)
    {
        // All that are less likely than this cannot make up what the nucleus leaves out: they are sorted only where rounding says otherwise.
        var (reach, least) = (_settings.TopP * sum, (1 - _settings.TopP) * sum / p.Length);
        var count = Gather(p, 0, value => value >= least);
        var kept = 0.0;
        foreach (var id in _space.Order.AsSpan(0, count))
        {
            kept += p[id];
        }

        count = kept < reach ? Gather(p, count, value => value < least) : count;
        return DrawSorted(p, reach, count);
    }

    // Puts the chosen ids behind those that are there, the likeliest first.
    private int Gather(ReadOnlySpan<double> p, int from, Func<double, bool> chosen)
    {
        var count = from;
        for (var i = 0; i < p.Length; i++)
        {
            if (chosen(p[i]))
            {
                _space.Order[count++] = i;
            }
        }

        var probabilities = _space.Probabilities;
        _space.Order.AsSpan(from, count - from).Sort((left, right) =>
        {
            var order = probabilities[right].CompareTo(probabilities[left]);
            return order != 0 ? order : left.CompareTo(right);
        });
        return count;
    }

    // Draws from the first ids that together reach so much, at least from one.
    private int DrawSorted(ReadOnlySpan<double> p, double reach, int candidates)
    {
        var order = _space.Order;
        var (count, kept) = (0, 0.0);
        while (count < candidates && (count == 0 || kept < reach))
        {
            kept += p[order[count++]];
        }

        var at = _random.NextDouble() * kept;
        for (var i = 0; i < count - 1; i++)
        {
            at -= p[order[i]];
            if (at < 0)
            {
                return order[i];
            }
        }

        return order[count - 1];
    }

    private int DrawAny(ReadOnlySpan<double> p, double sum)
    {
        var at = _random.NextDouble() * sum;
        var last = 0;
        for (var i = 0; i < p.Length; i++)
        {
            at -= p[i];
            if (at < 0)
            {
                return i;
            }

            last = p[i] > 0 ? i : last;
        }

        return last;
    }
}
