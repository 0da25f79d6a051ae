using Cairn.Data;

namespace Cairn.Inference;

/// <summary>Turns tokens into text one by one, and holds back what may be the beginning of a stop text until it is none: a stop text may span tokens, and nothing
/// of it is ever handed
/// out.</summary>
/// <param name="tokenizer">Of the tokens.</param>
/// <param name="stops">None of them empty.</param>
internal sealed class StoppedText(Tokenizer tokenizer, IReadOnlyList<string> stops)
{
    private readonly StreamingDecoder _decoder = new(tokenizer);
    private readonly Queue<(int Begin, LikelihoodAt Likelihood)> _likelihoods = [];
    private string _held = "";
    private int _given;

    /// <summary>True once a stop text came.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Adds a token.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="likelihood">Comes out with the text that begins with the token; null for none.</param>
    /// <returns>What is ready.</returns>
    public (string Text, IReadOnlyList<LikelihoodAt> Likelihoods) Append(int token, LikelihoodAt? likelihood)
    {
        if (likelihood is not null)
        {
            _likelihoods.Enqueue((_given + _held.Length, likelihood));
        }

        _held += _decoder.Append(token);
        return Give(Find() is { } stop ? stop : _held.Length - Doubtful());
    }

    /// <summary>Ends the text.</summary>
    /// <returns>What was held back, unless it has a stop text in it.</returns>
    public (string Text, IReadOnlyList<LikelihoodAt> Likelihoods) Finish()
    {
        if (IsStopped)
        {
            return ("", []);
        }

        _held += _decoder.Finish();
        var (text, likelihoods) = Give(Find() is { } stop ? stop : _held.Length);
        return (text, IsStopped ? likelihoods : [.. likelihoods, .. _likelihoods.Select(one => one.Likelihood)]);
    }

    // Where the first stop text begins.
    private int? Find()
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var at = _held.IndexOf(stop, StringComparison.Ordinal);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }

        IsStopped = first >= 0;
        return first >= 0 ? first : null;
    }

    // Characters at the end that may begin a stop text.
    private int Doubtful()
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, _held.Length); length > longest; length--)
            {
                if (_held.AsSpan(_held.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }

    private (string Text, IReadOnlyList<LikelihoodAt> Likelihoods) Give(int count)
    {
        var text = _held[..count];
        _held = IsStopped ? "" : _held[count..];
        _given += count;
        List<LikelihoodAt> ready = [];
        while (_likelihoods.TryPeek(out var next) && next.Begin < _given)
        {
            ready.Add(_likelihoods.Dequeue().Likelihood);
        }

        return (text, ready);
    }
}
