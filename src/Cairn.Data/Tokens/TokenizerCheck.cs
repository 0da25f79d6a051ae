using Cairn.Base;

namespace Cairn.Data;

/// <summary>Says what is wrong with a tokenizer's parts. Whatever passes encodes every text and gives it back: files come from anywhere.</summary>
internal static class TokenizerCheck
{
    private const int TokenBytesMax = 1 << 14;

    /// <summary>The first fault, or null.</summary>
    /// <param name="parts">From anywhere.</param>
    public static string? FaultOf(TokenizerParts parts) =>
        FaultOfTokens(parts) ?? FaultOfBytes(parts) ?? FaultOfMerges(parts) ?? FaultOfEnds(parts);

    private static string? FaultOfTokens(TokenizerParts parts)
    {
        if (parts.Tokens.Count is < 2 or > BpeTrainer.VocabularySizeMax)
        {
            return $"it has {parts.Tokens.Count} tokens, 2 to {BpeTrainer.VocabularySizeMax} are read";
        }

        if (parts.Kinds.Count != parts.Tokens.Count)
        {
            return $"it has {parts.Tokens.Count} tokens and says of {parts.Kinds.Count} what they are";
        }

        for (var id = 0; id < parts.Tokens.Count; id++)
        {
            var length = parts.Tokens[id].Length;
            if (length > TokenBytesMax || (length == 0 && parts.Kinds[id] is not (TokenKind.Unused or TokenKind.Unknown)))
            {
                return $"token {id} has {length} bytes, 1 to {TokenBytesMax} are read";
            }

            if (parts.Kinds[id] is < TokenKind.Normal or > TokenKind.Byte || (parts.Kinds[id] == TokenKind.Byte && length != 1))
            {
                return $"token {id} is of a kind that does not exist";
            }
        }

        return null;
    }

    private static string? FaultOfBytes(TokenizerParts parts) =>
        Array.IndexOf(Vocabulary.BytesOf(parts), -1) is >= 0 and var missing ? $"byte {missing} has no token, so text could be lost" : null;

    private static string? FaultOfMerges(TokenizerParts parts)
    {
        if (parts.Merges.Count > 4 * BpeTrainer.VocabularySizeMax)
        {
            return $"it has more than {4 * BpeTrainer.VocabularySizeMax} merges";
        }

        var (seen, rank) = (new HashSet<TokenPair>(parts.Merges.Count), 0);
        for (var i = 0; i < parts.Merges.Count; i++)
        {
            var merge = parts.Merges[i];
            if (!Merges(merge.Left) || !Merges(merge.Right) || !Merges(merge.Result) || !Joins(merge))
            {
                return $"merge {i} names a token that its vocab lacks";
            }

            if (!seen.Add(new TokenPair(merge.Left, merge.Right)))
            {
                return $"merge {i} is listed twice";
            }

            if (merge.Rank < rank || merge.Rank == MergeTable.None)
            {
                return $"merge {i} is out of order";
            }

            rank = merge.Rank;
        }

        return null;

        bool Merges(int id) => (uint)id < (uint)parts.Tokens.Count && parts.Kinds[id] is TokenKind.Normal or TokenKind.UserDefined;

        bool Joins(Merge merge) =>
            parts.Tokens[merge.Result] is var whole && whole.AsSpan().StartsWith(parts.Tokens[merge.Left])
            && whole.AsSpan(parts.Tokens[merge.Left].Length).SequenceEqual(parts.Tokens[merge.Right]);
    }

    private static string? FaultOfEnds(TokenizerParts parts)
    {
        foreach (var id in (int?[])[parts.Begin, parts.End])
        {
            if (id is { } given && (uint)given >= (uint)parts.Tokens.Count)
            {
                return $"token {given}, which begins or ends a text, does not exist";
            }
        }

        return parts.End is null && Tokenizer.FindEnd(parts) < 0 ? $"it has no special token that ends a document, such as {Tokenizer.EndOfText}" : null;
    }
}
