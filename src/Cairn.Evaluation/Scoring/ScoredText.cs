using Cairn.Base;
using Cairn.Data;

namespace Cairn.Evaluation;

/// <summary>Tokens of which the last ones are scored, given those before.</summary>
/// <param name="Tokens">At least two.</param>
/// <param name="From">The first that is scored: 1 to the number of tokens − 1.</param>
public sealed record ScoredText(int[] Tokens, int From)
{
    /// <summary>A context and what may follow it, encoded as the LM Evaluation Harness does it: as one text, of which the continuation is what the tokens of the context
    /// alone leave over. Blanks at the end of the context belong to the continuation, for tokens begin with them.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="context">What is given; if empty, the token that begins texts stands for it, or the one that ends them.</param>
    /// <param name="continuation">What is scored; not empty.</param>
    public static ScoredText Of(Tokenizer tokenizer, string context, string continuation)
    {
        var given = context.TrimEnd();
        (context, continuation) = (given, context[given.Length..] + continuation);
        if (continuation.Length == 0)
        {
            throw new InputException("an answer is empty: nothing can be said about its likelihood.");
        }

        if (context.Length == 0)
        {
            return new ScoredText([tokenizer.BosId ?? tokenizer.EosId, .. tokenizer.Encode(continuation)], 1);
        }

        var whole = tokenizer.Encode(context + continuation);
        // Where the two grow into one token at their border, that token is scored.
        if (whole.Length < 2)
        {
            return new ScoredText([tokenizer.BosId ?? tokenizer.EosId, .. whole], 1);
        }

        return new ScoredText(whole, Math.Clamp(tokenizer.Encode(context).Length, 1, whole.Length - 1));
    }

    /// <summary>What of it fits into a context: the last tokens.</summary>
    /// <param name="context">Tokens that the model can look at.</param>
    public ScoredText Within(int context)
    {
        var tooMany = Tokens.Length - (context + 1);
        return tooMany <= 0 ? this : new ScoredText(Tokens[tooMany..], Math.Max(1, From - tooMany));
    }
}
