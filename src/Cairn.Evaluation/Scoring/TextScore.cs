using Cairn.Base;
using Cairn.Data;

namespace Cairn.Evaluation;

/// <summary>How well a model predicts a text.</summary>
/// <param name="Name">Of the text.</param>
/// <param name="Bytes">Its length in UTF-8.</param>
/// <param name="Tokens">Tokens that were predicted: all of it.</param>
/// <param name="Nats">Negative logarithm of the probability of the whole text.</param>
/// <param name="Windows">The same of each window, in order: what two models with one tokenizer can be compared by.</param>
public sealed record TextScore(string Name, long Bytes, long Tokens, double Nats, IReadOnlyList<double> Windows)
{
    /// <summary>e to the mean loss of a token. It depends on the tokenizer.</summary>
    public double Perplexity => Math.Exp(Nats / Tokens);

    /// <summary>Bits for each byte of the text: the same measure for every tokenizer.</summary>
    public double BitsPerByte => Nats / Math.Log(2) / Bytes;

    /// <summary>Scores a text once from beginning to end, in windows of the model's context that do not overlap in what they predict: each begins with the last token of
    /// the one before, the first with the token that begins texts (or ends them, where none begins them), and the last one looks back as far as the context reaches (the
    /// harness's rolling log-likelihood).</summary>
    /// <param name="scorer">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="name">Of the text.</param>
    /// <param name="text">UTF-8, not empty.</param>
    /// <param name="progress">Told how many windows are done.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="InputException">A token has no row of the embedding.</exception>
    public static TextScore Of(
        LikelihoodScorer scorer, Tokenizer tokenizer, string name, ReadOnlySpan<byte> text, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var ids = new List<int> { tokenizer.BosId ?? tokenizer.EosId };
        tokenizer.Encode(text, ids);
        var windows = Cut([.. ids], scorer.Context);
        var scores = scorer.Score(windows, progress, cancellation);
        return new TextScore(name, text.Length, ids.Count - 1, -scores.Sum(), [.. scores.Select(score => -score)]);
    }

    /// <summary>Cuts a text of which all but the first token is predicted.</summary>
    /// <param name="tokens">The first stands for the beginning.</param>
    /// <param name="context">Tokens that the model looks at.</param>
    internal static IReadOnlyList<ScoredText> Cut(int[] tokens, int context)
    {
        var windows = new List<ScoredText>();
        for (var predicted = 1; predicted < tokens.Length; predicted += context)
        {
            var end = Math.Min(tokens.Length, predicted + context);
            var begin = Math.Max(0, end - 1 - context);
            windows.Add(new ScoredText(tokens[begin..end], predicted - begin));
        }

        return windows;
    }
}
