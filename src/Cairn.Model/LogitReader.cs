using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>Reads a text at once and gives the logits after each of its tokens: to compare models and programs, where <see cref="Generator"/> is for speaking.</summary>
public sealed class LogitReader : IDisposable
{
    private readonly Parameters _parameters;
    private readonly Transformer _transformer;

    /// <summary>Takes the memory of one text.</summary>
    /// <param name="parameters">Read at every call; stay the caller's.</param>
    /// <param name="kernels">Computes; stays the caller's.</param>
    /// <param name="lengthMax">The longest text in tokens; at most the model's context.</param>
    public LogitReader(Parameters parameters, IKernels kernels, int lengthMax)
    {
        _parameters = parameters;
        _transformer = new Transformer(parameters.Layout, kernels, 1, lengthMax, training: false);
    }

    /// <summary>Is given the logits after a token.</summary>
    /// <param name="place">The token's place in the text, from 0.</param>
    /// <param name="logits">[V]; valid during the call.</param>
    public delegate void Visit(int place, ReadOnlySpan<float> logits);

    /// <summary>Reads a text.</summary>
    /// <param name="tokens">At least one, at most the longest text.</param>
    /// <param name="visit">Called for each token in order.</param>
    /// <exception cref="InputException">A token has no row of the embedding.</exception>
    public void Read(ReadOnlySpan<int> tokens, Visit visit)
    {
        var shape = _parameters.Shape;
        Invariant.Check(tokens.Length > 0 && tokens.Length <= _transformer.LengthMax);
        shape.RequireRows(tokens);

        var p = _parameters.Span;
        var stream = _transformer.Stream(0, tokens.Length);
        _transformer.Embed(p, tokens);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            _transformer.EvaluationPass(p, layer, shape.Attention(1, tokens.Length)).Forward(stream, stream);
        }

        _transformer.NormFinal(p, stream, tokens.Length);
        for (var row = 0; row < tokens.Length; row += Transformer.HeadRows)
        {
            var count = Math.Min(Transformer.HeadRows, tokens.Length - row);
            var logits = _transformer.Logits(p, row, count);
            for (var i = 0; i < count; i++)
            {
                visit(row + i, logits.Slice(i * shape.Vocabulary, shape.Vocabulary));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _transformer.Dispose();
}
