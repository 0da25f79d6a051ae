using Cairn.Base;

namespace Cairn.Model.Tests;

public sealed class SamplerTests
{
    private static readonly float[] Logits = [1f, 3f, 3f, 2f, -1f, 0f];
    private static readonly SamplingSettings Greedy = new(Temperature: 0, TopP: 1);

    [Fact]
    public void Of_equals_the_lower_id_is_the_likeliest() => Assert.Equal(1, Choose(Greedy, []));

    [Theory]
    [InlineData(0.3, 0, 0.0)]
    [InlineData(0.9, 0, 0.0)]
    [InlineData(0.999, 0, 0.0)]
    [InlineData(1.0, 0, 0.0)]
    [InlineData(1.0, 7, 0.0)]
    [InlineData(0.8, 7, 0.0)]
    [InlineData(1.0, 0, 0.05)]
    [InlineData(0.7, 40, 0.01)]
    public void What_is_drawn_from_is_what_sorting_all_of_them_leaves(double topP, int topK, double minP)
    {
        var random = new SeededRandom(3, "logits");
        var logits = new float[500];
        foreach (ref var logit in logits.AsSpan())
        {
            // Coarse, so that many are equal.
            logit = (float)Math.Round(2 * random.NextNormal(), 1);
        }

        var settings = new SamplingSettings(0.9, topP, Seed: 11) { TopK = topK, MinP = minP };
        var sampler = new Sampler(settings, new SamplingSpace(logits.Length), []);
        var draws = new SeededRandom(11, "generate");
        for (var i = 0; i < 200; i++)
        {
            Assert.Equal(Plainly(logits, settings, draws.NextDouble()), sampler.Choose(logits));
        }
    }

    [Fact]
    public void A_token_that_stands_in_the_text_is_made_less_likely_and_one_below_zero_too()
    {
        Assert.Equal(2, Choose(Greedy with { RepetitionPenalty = 1.1 }, [1]));
        Assert.Equal(3, Choose(Greedy with { RepetitionPenalty = 2 }, [1, 2]));
        float[] below = [-1f, -1.5f];
        Assert.Equal(1, new Sampler(Greedy with { RepetitionPenalty = 2 }, new SamplingSpace(2), [0]).Choose(below));
    }

    [Fact]
    public void Presence_counts_once_and_frequency_each_time_and_neither_the_prompt()
    {
        int[] Said(SamplingSettings settings)
        {
            var sampler = new Sampler(settings, new SamplingSpace(Logits.Length), [1, 1, 1]);
            return [.. Enumerable.Range(0, 6).Select(_ => sampler.Choose(Logits))];
        }

        Assert.Equal([1, 2, 1, 1, 1, 1], Said(Greedy with { PresencePenalty = 0.5 }));
        Assert.Equal([1, 2, 1, 2, 1, 2], Said(Greedy with { FrequencyPenalty = 0.25 }));
    }

    [Fact]
    public void A_bias_of_a_hundred_is_always_and_of_minus_a_hundred_never()
    {
        Assert.Equal(4, Choose(Greedy with { LogitBias = new Dictionary<int, double> { [4] = 100, [77] = 100 } }, []));
        var never = new SamplingSettings(5, 1, Seed: 2) { LogitBias = new Dictionary<int, double> { [1] = -100, [2] = -100 } };
        var sampler = new Sampler(never, new SamplingSpace(Logits.Length), []);
        Assert.All(Enumerable.Range(0, 300).Select(_ => sampler.Choose(Logits)), token => Assert.True(token is not (1 or 2)));
    }

    [Fact]
    public void Samplers_that_share_their_space_do_not_see_each_other()
    {
        var space = new SamplingSpace(Logits.Length);
        var settings = new SamplingSettings(1, 0.9, Seed: 4) { FrequencyPenalty = 0.3 };
        var alone = new Sampler(settings, new SamplingSpace(Logits.Length), []);
        var (one, other) = (new Sampler(settings, space, []), new Sampler(settings with { Seed = 5, TopK = 2 }, space, []));
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(alone.Choose(Logits), one.Choose(Logits));
            other.Choose([0, 9, 9, 0, 0, 0]);
        }
    }

    [Fact]
    public void Settings_out_of_range_are_refused_all_at_once()
    {
        var refusal = Assert.Throws<InputException>(() => new SamplingSettings
        {
            TopK = -1,
            MinP = 2,
            RepetitionPenalty = 0,
            PresencePenalty = 3,
            FrequencyPenalty = double.NaN,
            LogitBias = new Dictionary<int, double> { [1] = 101 },
        }.Validate());
        foreach (var word in new[] { "top-k", "min-p", "repetition", "presence", "frequency", "biases" })
        {
            Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        }
    }

    private static int Choose(SamplingSettings settings, int[] prompt) => new Sampler(settings, new SamplingSpace(Logits.Length), prompt).Choose(Logits);

    private static int Plainly(float[] logits, SamplingSettings settings, double draw)
    {
        var best = (double)logits.Max();
        var p = logits.Select(logit => DeterministicMath.Exp((logit - best) / settings.Temperature)).ToArray();
        var order = Enumerable.Range(0, p.Length).OrderByDescending(id => p[id]).ThenBy(id => id).ToList();
        order = [.. order.Take(settings.TopK == 0 ? p.Length : settings.TopK).Where(id => p[id] >= settings.MinP)];
        var sum = settings.TopK == 0 && settings.MinP == 0 ? p.Sum() : order.Sum(id => p[id]);
        if (settings.TopP < 1)
        {
            var kept = 0.0;
            order = [.. order.TakeWhile((id, at) => (at == 0 || kept < settings.TopP * sum) && (kept += p[id]) > 0)];
            sum = order.Sum(id => p[id]);
        }
        else if (settings.TopK == 0 && settings.MinP == 0)
        {
            order.Sort();
        }

        var at = draw * sum;
        return order.First(id => (at -= p[id]) < 0 || id == order[^1]);
    }
}
