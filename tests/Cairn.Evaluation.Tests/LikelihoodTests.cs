using System.Text;
using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Evaluation.Tests;

public sealed class LikelihoodTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Question: the stone", " carries")]
    [InlineData("Question: the stone ", "carries")] // the blank belongs to what is scored
    [InlineData("The", " hill, slowly, and naïve 漢字")]
    public void What_is_scored_is_the_sum_over_the_tokens_of_the_continuation(string context, string continuation)
    {
        using var kernels = new CpuKernels(1);
        using var model = Known.Bigram();
        using var scorer = new LikelihoodScorer(model, kernels);
        var expected = Known.LogProbability(model, context.TrimEnd(), context[context.TrimEnd().Length..] + continuation);
        var scored = Assert.Single(scorer.Score([ScoredText.Of(Known.Tokenizer, context, continuation)], null, Cancel));
        Assert.Equal(expected, scored, 1e-4 * Math.Abs(expected));
    }

    [Fact]
    public void Without_a_context_the_end_of_a_text_stands_for_it()
    {
        using var kernels = new CpuKernels(1);
        using var model = Known.Bigram();
        using var scorer = new LikelihoodScorer(model, kernels);
        var tokens = Known.Tokenizer.Encode("stone");
        var expected = Known.LogProbability(model, Known.Tokenizer.EosId, tokens[0])
            + Enumerable.Range(1, tokens.Length - 1).Sum(at => Known.LogProbability(model, tokens[at - 1], tokens[at]));
        Assert.Equal(expected, scorer.Score([ScoredText.Of(Known.Tokenizer, "", "stone")], null, Cancel)[0], 1e-4 * Math.Abs(expected));
    }

    [Fact]
    public void Neither_the_batch_nor_the_threads_nor_the_other_texts_change_a_bit()
    {
        using var model = Known.Drawn();
        var random = new SeededRandom(4, "texts");
        var texts = new List<ScoredText>();
        for (var i = 0; i < 30; i++)
        {
            var tokens = new int[2 + random.NextBelow(90)];
            for (var t = 0; t < tokens.Length; t++)
            {
                tokens[t] = random.NextBelow(model.Shape.Vocabulary);
            }

            texts.Add(new ScoredText(tokens, 1 + random.NextBelow(tokens.Length - 1)));
        }

        var alone = new List<double>();
        foreach (var text in texts)
        {
            using var kernels = new CpuKernels(1);
            using var scorer = new LikelihoodScorer(model, kernels, batch: 1);
            alone.Add(scorer.Score([text], null, Cancel)[0]);
        }

        foreach (var (batch, threads) in new[] { (1, 2), (3, 1), (8, 3) })
        {
            using var kernels = new CpuKernels(threads);
            using var scorer = new LikelihoodScorer(model, kernels, batch);
            Assert.Equal(alone, scorer.Score(texts, null, Cancel));
        }
    }

    [Fact]
    public void A_text_with_a_token_that_has_no_row_is_refused_by_its_number()
    {
        using var kernels = new CpuKernels(1);
        using var model = Known.Drawn();
        using var scorer = new LikelihoodScorer(model, kernels);
        var rows = model.Shape.Vocabulary;
        var refused = Assert.Throws<InputException>(() => scorer.Score([new ScoredText([1, 2], 1), new ScoredText([1, rows + 3], 1)], null, Cancel)).Message;
        Assert.Contains($"token {rows + 3}", refused, StringComparison.Ordinal);
        Assert.Contains($"{rows} rows", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_longer_than_the_context_is_scored_by_its_end()
    {
        using var kernels = new CpuKernels(1);
        using var model = Known.Drawn(context: 16);
        using var scorer = new LikelihoodScorer(model, kernels);
        var tokens = Enumerable.Range(0, 40).Select(i => (i * 7) % model.Shape.Vocabulary).ToArray();
        Assert.Equal(scorer.Score([new ScoredText(tokens[^17..], 14)], null, Cancel), scorer.Score([new ScoredText(tokens, 37)], null, Cancel));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(50)]
    public void Every_token_of_a_text_is_predicted_once_and_the_last_window_looks_back_as_far_as_it_can(int length)
    {
        const int Context = 16;
        var tokens = Enumerable.Range(100, length + 1).ToArray();
        var windows = TextScore.Cut(tokens, Context);
        Assert.Equal(tokens[1..], windows.SelectMany(window => window.Tokens[window.From..]));
        Assert.All(windows, window => Assert.InRange(window.Tokens.Length, 2, Context + 1));
        Assert.Equal(Math.Min(length, Context) + 1, windows[^1].Tokens.Length);
    }

    [Fact]
    public void Bits_per_byte_and_perplexity_are_of_the_whole_text()
    {
        using var kernels = new CpuKernels(2);
        using var model = Known.Bigram();
        using var scorer = new LikelihoodScorer(model, kernels);
        var text = string.Concat(Enumerable.Repeat("Question: the stone carries the path. naïve\n", 30));
        var bytes = Encoding.UTF8.GetBytes(text);
        var score = TextScore.Of(scorer, Known.Tokenizer, "text", bytes, null, Cancel);

        int[] tokens = [Known.Tokenizer.EosId, .. Known.Tokenizer.Encode(text)];
        var nats = -Enumerable.Range(1, tokens.Length - 1).Sum(at => Known.LogProbability(model, tokens[at - 1], tokens[at]));
        Assert.Equal((bytes.Length, tokens.Length - 1), (score.Bytes, score.Tokens));
        Assert.Equal(nats, score.Nats, 1e-5 * nats);
        Assert.Equal(nats / Math.Log(2) / bytes.Length, score.BitsPerByte, 1e-4);
        Assert.Equal(Math.Exp(nats / (tokens.Length - 1)), score.Perplexity, 1e-3 * score.Perplexity);
    }
}
