using System.Runtime.InteropServices;
using Cairn.Base;
using Cairn.Compute;

namespace Cairn.Model;

/// <summary>Continues a text token by token, keeping the keys and values of what was read (a cache), so that a token costs one row and not
/// the whole text.</summary>
/// <remarks>When the context is full, the newest half of it (context / 2 tokens, at least one) is read anew from position 0 and generation
/// goes on; a prompt longer than the context loses its beginning by the same rule. One text at a time: beginning the next ends the one before.</remarks>
public sealed class Generator : IDisposable
{
    private readonly Parameters _parameters;
    private readonly Transformer _transformer;
    private readonly FloatBuffer[] _keys;
    private readonly FloatBuffer[] _values;
    private readonly int _context;
    private int _cached;
    private long _texts;

    /// <summary>Takes the memory of the cache and of one pass over a full context.</summary>
    /// <param name="parameters">Read at every token; stay the caller's.</param>
    /// <param name="kernels">Computes; stays the caller's.</param>
    /// <param name="context">Tokens that are kept in view; null takes the model's.</param>
    public Generator(Parameters parameters, IKernels kernels, int? context = null)
    {
        _parameters = parameters;
        _context = context ?? parameters.Shape.Context;
        _transformer = new Transformer(parameters.Layout, kernels, 1, _context, training: false);
        _keys = new FloatBuffer[Shape.Layers];
        _values = new FloatBuffer[Shape.Layers];
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            _keys[layer] = new FloatBuffer(checked(_context * KvWidth));
            _values[layer] = new FloatBuffer(checked(_context * KvWidth));
        }
    }

    private ModelShape Shape => _parameters.Shape;

    private int KvWidth => Shape.KvHeads * Shape.HeadDim;

    /// <summary>Continues a prompt. Tokens come one at a time, as they are asked for.</summary>
    /// <param name="prompt">At least one id.</param>
    /// <param name="settings">How to choose.</param>
    /// <returns>The new ids; the end token is not among them.</returns>
    /// <exception cref="InputException">The prompt is empty or holds a token that has no row of the embedding, or the settings are out of range.</exception>
    public IEnumerable<int> Generate(IReadOnlyList<int> prompt, SamplingSettings settings)
    {
        settings.Validate();
        if (prompt.Count == 0)
        {
            throw new InputException("the prompt is empty; give at least one token");
        }

        List<int> text = [.. prompt];
        Shape.RequireRows(CollectionsMarshal.AsSpan(text));
        return Continue(text, settings);
    }

    private IEnumerable<int> Continue(List<int> text, SamplingSettings settings)
    {
        var sampler = new Sampler(settings, new SamplingSpace(Shape.Vocabulary), text);
        _cached = 0;
        var mine = ++_texts;
        for (var made = 0; made < settings.TokensMax; made++)
        {
            Invariant.Check(mine == _texts);
            var next = sampler.Choose(Advance(text));
            if (next == settings.EndToken)
            {
                yield break;
            }

            text.Add(next);
            yield return next;
        }
    }

    // Reads what is not yet in the cache and gives the logits after the last token.
    private Span<float> Advance(List<int> text)
    {
        if (_cached > 0 && _cached < _context)
        {
            return ReadOne(text[^1]);
        }

        var count = text.Count <= _context && _cached == 0 ? text.Count : Math.Max(1, _context / 2);
        return ReadMany(text.GetRange(text.Count - count, count).ToArray());
    }

    private Span<float> ReadMany(ReadOnlySpan<int> tokens)
    {
        var p = _parameters.Span;
        var shape = Shape.Attention(1, tokens.Length);
        var stream = _transformer.Stream(0, tokens.Length);
        _transformer.Embed(p, tokens);
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            _transformer.EvaluationPass(p, layer, shape).Forward(stream, stream);
            for (var row = 0; row < tokens.Length; row++)
            {
                Remember(layer, row, _transformer.EvaluationActivations.Qkv.Slice(row * Shape.QkvWidth, Shape.QkvWidth));
            }
        }

        _cached = tokens.Length;
        return Head(p, stream[^Shape.Dim..]);
    }

    private Span<float> ReadOne(int token)
    {
        var p = _parameters.Span;
        var shape = Shape.Attention(1, 1);
        var stream = _transformer.Stream(0, 1);
        _transformer.Embed(p, [token]);
        for (var layer = 0; layer < Shape.Layers; layer++)
        {
            var pass = _transformer.EvaluationPass(p, layer, shape);
            pass.Project(stream);
            var qkv = _transformer.EvaluationActivations.Qkv.Slice(0, Shape.QkvWidth);
            var attended = _transformer.EvaluationActivations.Attended.Slice(0, Shape.AttentionWidth);
            Rotate(qkv[..(Shape.AttentionWidth + KvWidth)], _cached);
            Remember(layer, _cached, qkv);
            _transformer.Kernels.AttentionStep(qkv[..Shape.AttentionWidth], _keys[layer].Span, _values[layer].Span, attended, _cached + 1, shape);
            pass.Finish(stream, stream);
        }

        _cached++;
        return Head(p, stream);
    }

    private Span<float> Head(Span<float> p, ReadOnlySpan<float> row)
    {
        _transformer.NormFinal(p, row, 1);
        return _transformer.Logits(p, 0, 1);
    }

    private void Remember(int layer, int row, ReadOnlySpan<float> qkv)
    {
        qkv.Slice(Shape.AttentionWidth, KvWidth).CopyTo(_keys[layer].Slice(row * KvWidth, KvWidth));
        qkv.Slice(Shape.AttentionWidth + KvWidth, KvWidth).CopyTo(_values[layer].Slice(row * KvWidth, KvWidth));
    }

    // The kernels rotate whole sequences from position 0; a single row at a later position is rotated here, in half-split pairs as there.
    private void Rotate(Span<float> queriesAndKeys, int position)
    {
        var half = Shape.HeadDim / 2;
        var cos = _transformer.Rope.Cos.Slice(position * half, half);
        var sin = _transformer.Rope.Sin.Slice(position * half, half);
        for (var head = 0; head < queriesAndKeys.Length; head += Shape.HeadDim)
        {
            for (var i = head; i < head + half; i++)
            {
                var (first, second) = (queriesAndKeys[i], queriesAndKeys[i + half]);
                var (c, s) = (cos[i - head], sin[i - head]);
                queriesAndKeys[i] = (first * c) - (second * s);
                queriesAndKeys[i + half] = (second * c) + (first * s);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _transformer.Dispose();
        foreach (var buffer in _keys.Concat(_values))
        {
            buffer.Dispose();
        }
    }
}
