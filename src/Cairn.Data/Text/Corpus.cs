using System.Security.Cryptography;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Documents in a fixed order, each either for training or held out. The same files give the same documents on every machine.</summary>
public sealed class Corpus
{
    /// <summary>Takes documents in order.</summary>
    /// <param name="documents">At least one for training and one held out.</param>
    /// <param name="source">What the text is, for people.</param>
    public Corpus(IReadOnlyList<Document> documents, string source)
    {
        (Documents, Source) = (documents, source);
        foreach (var document in documents)
        {
            Invariant.Check(document.Text.Length > 0);
            if (document.HeldOut)
            {
                HeldOutCount++;
                HeldOutBytes += document.Text.Length;
            }
            else
            {
                TrainCount++;
                TrainBytes += document.Text.Length;
            }
        }

        Invariant.Check(TrainCount > 0);
        Invariant.Check(HeldOutCount > 0);
        Digest = ComputeDigest();
    }

    /// <summary>In order.</summary>
    public IReadOnlyList<Document> Documents { get; }

    /// <summary>What the text is, for people.</summary>
    public string Source { get; }

    /// <summary>Documents to train on.</summary>
    public int TrainCount { get; }

    /// <summary>Their bytes.</summary>
    public long TrainBytes { get; }

    /// <summary>Documents that are held out.</summary>
    public int HeldOutCount { get; }

    /// <summary>Their bytes.</summary>
    public long HeldOutBytes { get; }

    /// <summary>Names the text, its division into documents and what is held out.</summary>
    public Digest Digest { get; }

    /// <summary>Reads the text that the options name.</summary>
    /// <param name="options">Sources.</param>
    /// <exception cref="InputException">A source is missing, empty, too large or no text; or no SDK is installed and none is named.</exception>
    /// <remarks>Cost: the default text takes about half a second on two cores; files are read at the speed of the disk.</remarks>
    public static Corpus Load(CorpusOptions options)
    {
        Invariant.Check(options.HeldOutPart is > 0 and < 1);
        return options.Paths.Count == 0 ? SdkDocumentation.Load(options.HeldOutPart) : TextFiles.Load(options);
    }

    private Digest ComputeDigest()
    {
        // Each document by its own digest, so that all cores hash; then one digest over the list.
        var digests = new byte[(Digest.Size + 1) * Documents.Count];
        Parallel.For(0, (Documents.Count + 255) / 256, block =>
        {
            for (var i = 256 * block; i < Math.Min(Documents.Count, 256 * (block + 1)); i++)
            {
                var at = digests.AsSpan((Digest.Size + 1) * i, Digest.Size + 1);
                at[0] = Documents[i].HeldOut ? (byte)1 : (byte)0;
                SHA256.HashData(Documents[i].Text.Span, at[1..]);
            }
        });
        return Digest.Of("cairn/corpus", digests);
    }
}
