namespace Cairn.Compute;

/// <summary>The new tokens of one text among the rows of a batch.</summary>
/// <param name="Row">The first of its rows.</param>
/// <param name="Count">How many; at least 1.</param>
/// <param name="Start">Tokens that the text had before.</param>
/// <param name="Pages">The text's pages in the order of its tokens, with room for all of them.</param>
public readonly record struct PagedRows(int Row, int Count, int Start, int[] Pages)
{
    /// <summary>Tokens with the new ones.</summary>
    public int Length => Start + Count;
}
