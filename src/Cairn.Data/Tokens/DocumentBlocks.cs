namespace Cairn.Data;

/// <summary>Runs of documents of about equal size: the unit of work of one thread. Cut by the text alone, so that the division never depends on the machine.</summary>
internal static class DocumentBlocks
{
    /// <summary>Cuts the documents of one kind into runs.</summary>
    /// <param name="documents">All documents in order.</param>
    /// <param name="heldOut">Which kind.</param>
    /// <param name="blockBytes">A run ends once it holds as many.</param>
    /// <returns>Indices of documents; every document of the kind exactly once, in order.</returns>
    public static List<List<int>> Cut(IReadOnlyList<Document> documents, bool heldOut, long blockBytes)
    {
        var blocks = new List<List<int>>();
        var bytes = blockBytes;
        for (var index = 0; index < documents.Count; index++)
        {
            if (documents[index].HeldOut != heldOut)
            {
                continue;
            }

            if (bytes >= blockBytes)
            {
                blocks.Add([]);
                bytes = 0;
            }

            blocks[^1].Add(index);
            bytes += documents[index].Text.Length;
        }

        return blocks;
    }
}
