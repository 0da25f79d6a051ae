using Cairn.Base;
using Cairn.Compute;
using Cairn.Model;

namespace Cairn.Evaluation;

/// <summary>How likely a model holds texts to be: the logarithm of the probability of what is scored of each, in nats.</summary>
/// <remarks>Texts are computed together that have the same length once it is rounded up, which follows from each alone: so neither the others nor the size of a batch nor
/// the number of threads changes a bit. What a text is padded with stands behind it, where attention does not look.</remarks>
public sealed class LikelihoodScorer : IDisposable
{
    private const int LengthStep = 16;
    private readonly Parameters _parameters;
    private readonly Transformer _transformer;
    private readonly int[] _tokens;
    private readonly int[] _targets;
    private readonly float[] _losses;

    /// <summary>Takes the working memory.</summary>
    /// <param name="parameters">The model; stays the caller's.</param>
    /// <param name="kernels">Computes; stays the caller's.</param>
    /// <param name="batch">Texts of full length that are computed together, 1 or more. Changes no bit.</param>
    public LikelihoodScorer(Parameters parameters, IKernels kernels, int batch = 4)
    {
        (_parameters, Context) = (parameters, parameters.Shape.Context);
        _transformer = new Transformer(parameters.Layout, kernels, batch, Context, training: false);
        _tokens = new int[_transformer.RowsMax];
        _targets = new int[_transformer.RowsMax];
        _losses = new float[_transformer.RowsMax];
    }

    /// <summary>Tokens that the model looks at; of longer texts the last ones count.</summary>
    public int Context { get; }

    /// <summary>Scores texts.</summary>
    /// <param name="texts">Any number, of any lengths.</param>
    /// <param name="progress">Told how many are done.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>One logarithm of a probability for each, summed in order in double.</returns>
    /// <exception cref="InputException">A token has no row of the embedding; nothing was computed then.</exception>
    public double[] Score(IReadOnlyList<ScoredText> texts, IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        foreach (var text in texts)
        {
            _parameters.Shape.RequireRows(text.Tokens);
        }

        var scores = new double[texts.Count];
        var done = 0;
        foreach (var group in Enumerable.Range(0, texts.Count).GroupBy(i => LengthOf(texts[i].Within(Context))).OrderBy(group => group.Key))
        {
            foreach (var together in group.Chunk(Math.Max(1, _transformer.RowsMax / group.Key)))
            {
                cancellation.ThrowIfCancellationRequested();
                Score(texts, together, group.Key, scores);
                progress?.Report(done += together.Length);
            }
        }

        return scores;
    }

    /// <inheritdoc/>
    public void Dispose() => _transformer.Dispose();

    private int LengthOf(ScoredText text) => Math.Min(Context, (text.Tokens.Length - 1 + LengthStep - 1) / LengthStep * LengthStep);

    private void Score(IReadOnlyList<ScoredText> texts, int[] together, int length, double[] scores)
    {
        var rows = together.Length * length;
        Array.Clear(_tokens, 0, rows);
        Array.Clear(_targets, 0, rows);
        for (var i = 0; i < together.Length; i++)
        {
            var text = texts[together[i]].Within(Context);
            var given = text.Tokens.Length - 1;
            text.Tokens.AsSpan(0, given).CopyTo(_tokens.AsSpan(i * length));
            text.Tokens.AsSpan(1).CopyTo(_targets.AsSpan(i * length));
        }

        _transformer.TokenLosses(_parameters, _tokens.AsSpan(0, rows), _targets.AsSpan(0, rows), together.Length, length, _losses.AsSpan(0, rows));
        for (var i = 0; i < together.Length; i++)
        {
            var text = texts[together[i]].Within(Context);
            for (var at = text.From - 1; at < text.Tokens.Length - 1; at++)
            {
                scores[together[i]] -= _losses[(i * length) + at];
            }
        }
    }
}
