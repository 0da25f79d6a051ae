using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Model.Tests;

public sealed class GeneratorTests
{
    private static readonly SamplingSettings _greedy = new(Temperature: 0, TokensMax: 30);

    [Theory]
    [InlineData(3, 1)]
    [InlineData(4, 4)]
    public void With_its_cache_it_says_what_full_passes_say_also_after_the_context_is_full(int heads, int kvHeads)
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape(true, heads, kvHeads));
        using var generator = new Generator(parameters, kernels);
        int[] prompt = [3, 1, 4, 1];
        Assert.Equal(WithoutCache(parameters, kernels, prompt, _greedy.TokensMax), generator.Generate(prompt, _greedy));
    }

    [Fact]
    public void A_prompt_longer_than_the_context_loses_its_beginning()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        var prompt = Tiny.Tokens(40, 37);
        var settings = _greedy with { TokensMax = 5 };
        Assert.Equal(generator.Generate(prompt[^5..], settings).ToArray(), generator.Generate(prompt, settings).ToArray());
    }

    [Fact]
    public void The_same_seed_gives_the_same_text_and_another_seed_another()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        var settings = new SamplingSettings(Temperature: 1.5, TopP: 0.99, TokensMax: 25, Seed: 1);
        var first = generator.Generate([1], settings).ToArray();
        Assert.Equal(25, first.Length);
        Assert.Equal(first, generator.Generate([1], settings));
        Assert.NotEqual(first, generator.Generate([1], settings with { Seed = 2 }));
        Assert.NotEqual(first, generator.Generate([1], settings with { TopP = 1, Seed = 3 }));
    }

    [Fact]
    public void A_tiny_nucleus_is_greedy()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        Assert.Equal(generator.Generate([2], _greedy).ToArray(), generator.Generate([2], _greedy with { Temperature = 1, TopP = 1e-9 }).ToArray());
    }

    [Fact]
    public void Two_texts_at_once_from_one_generator_are_a_bug_that_is_caught()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        using var first = generator.Generate([1], _greedy).GetEnumerator();
        using var second = generator.Generate([2], _greedy).GetEnumerator();
        first.MoveNext();
        second.MoveNext();
        Assert.Throws<InvariantViolation>(() => first.MoveNext());
    }

    [Fact]
    public void The_end_token_ends_the_text_and_is_not_handed_out()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        var all = generator.Generate([5], _greedy).ToArray();
        var end = all[^1];
        Assert.Equal(all.TakeWhile(token => token != end), generator.Generate([5], _greedy with { EndToken = end }));
    }

    [Fact]
    public void Foreign_prompts_and_settings_are_refused_in_words()
    {
        using var kernels = new ReferenceKernels();
        using var parameters = Tiny.Parameters(Tiny.Shape());
        using var generator = new Generator(parameters, kernels);
        Assert.Throws<InputException>(() => generator.Generate([], _greedy));
        Assert.Throws<InputException>(() => generator.Generate([37], _greedy));
        Assert.Throws<InputException>(() => generator.Generate([-1], _greedy));
        var refusal = Assert.Throws<InputException>(() => generator.Generate([1], new SamplingSettings(double.NaN, 0, -1)));
        Assert.Contains("temperature", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("top-p", refusal.Message, StringComparison.Ordinal);
    }

    // One evaluation per candidate: the token with the smallest loss is the likeliest. Slides as the generator says it does.
    private static List<int> WithoutCache(Parameters parameters, IKernels kernels, int[] prompt, int count)
    {
        var context = parameters.Shape.Context;
        using var transformer = new Transformer(parameters.Layout, kernels, 1, context, training: false);
        var (window, made) = (prompt.ToList(), new List<int>());
        while (made.Count < count)
        {
            if (window.Count > context)
            {
                window = window[^(context / 2)..];
            }

            var tokens = window.ToArray();
            var (best, bestLoss) = (-1, double.PositiveInfinity);
            for (var candidate = 0; candidate < parameters.Shape.Vocabulary; candidate++)
            {
                var loss = LastLoss(transformer, parameters, tokens, candidate);
                (best, bestLoss) = loss < bestLoss ? (candidate, loss) : (best, bestLoss);
            }

            made.Add(best);
            window.Add(best);
        }

        return made;
    }

    // All other targets are held fixed, so that differences of the mean are differences of the last row.
    private static double LastLoss(Transformer transformer, Parameters parameters, int[] tokens, int candidate)
    {
        var targets = new int[tokens.Length];
        targets[^1] = candidate;
        var losses = new double[1];
        transformer.SequenceLosses(parameters, tokens, targets, 1, tokens.Length, losses);
        return losses[0];
    }
}
