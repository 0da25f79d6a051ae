using Cairn.Base;
using Cairn.Data;

namespace Cairn.Formats;

/// <summary>Merges of tokens of characters from their scores and back. SentencePiece joins whichever two neighbours give a token, the one of the highest score
/// first; that is
/// a merge for every way to cut a token into two others.</summary>
internal static class ScoreMerges
{
    // Longer ones are never made out of text: looking at each cut would take the square of the length.
    private const int TokenBytesMax = 256;

    // Published vocabularies have two merges a token.
    private const int MergesMax = 4 * BpeTrainer.VocabularySizeMax;

    /// <summary>The merges of scores; those that give the same token have the same rank.</summary>
    public static Merge[] From(byte[][] tokens, TokenKind[] kinds, float[] scores)
    {
        var ids = new Dictionary<Digest, int>(tokens.Length);
        for (var id = 0; id < tokens.Length; id++)
        {
            if (kinds[id] is TokenKind.Normal or TokenKind.UserDefined)
            {
                ids.TryAdd(Digest.Of(tokens[id]), id);
            }
        }

        var merges = new List<Merge>();
        var order = ids.Values.OrderByDescending(id => scores[id]).ThenBy(id => id).ToArray();
        var rank = -1;
        for (var place = 0; place < order.Length; place++)
        {
            var (id, token) = (order[place], tokens[order[place]]);
            rank = place == 0 || scores[id] != scores[order[place - 1]] ? place : rank;
            for (var cut = 1; cut < token.Length && token.Length <= TokenBytesMax && merges.Count < MergesMax; cut++)
            {
                // Inside a character nothing is cut.
                if ((token[cut] & 0xC0) != 0x80
                    && ids.TryGetValue(Digest.Of(token.AsSpan(0, cut)), out var left) && ids.TryGetValue(Digest.Of(token.AsSpan(cut)), out var right))
                {
                    merges.Add(new Merge(left, right, id, rank));
                }
            }
        }

        return [.. merges];
    }

    /// <summary>The scores of merges: the earlier a token can be made, the higher; what is never made stands last.</summary>
    public static float[] Of(TokenizerParts parts)
    {
        var scores = new float[parts.Tokens.Count];
        for (var id = 0; id < scores.Length; id++)
        {
            scores[id] = parts.Kinds[id] == TokenKind.Normal ? float.NegativeInfinity : 0;
        }

        var least = 0f;
        foreach (var merge in parts.Merges)
        {
            scores[merge.Result] = MathF.Max(scores[merge.Result], -merge.Rank);
            least = MathF.Min(least, -merge.Rank);
        }

        for (var id = 0; id < scores.Length; id++)
        {
            scores[id] = float.IsNegativeInfinity(scores[id]) ? least - 1 : scores[id];
        }

        return scores;
    }
}
