using System.Text;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Learns a byte-level vocabulary from the training documents of a corpus.</summary>
/// <remarks>Ids 0–255 are the bytes, then the special tokens, then one id per merge in order of rank: a smaller vocabulary is a prefix of a larger one.
/// Each merge joins the most frequent pair of neighbouring ids inside words; ties go to the lower left id, then to the lower right id.
/// Same corpus, same vocabulary, on any number of threads. Sennrich, Haddow and Birch 2016, Algorithm 1.</remarks>
public static class BpeTrainer
{
    /// <summary>The largest vocabulary that can be asked for.</summary>
    public const int VocabularySizeMax = 1 << 20;

    /// <summary>Refuses a size that cannot be, before any text is read for it.</summary>
    /// <param name="vocabularySize">As for <see cref="Train"/>.</param>
    /// <param name="specials">How many special tokens; by default the one that ends a text.</param>
    /// <exception cref="InputException">The size is out of range.</exception>
    public static void CheckSize(int vocabularySize, int specials = 1)
    {
        if (vocabularySize < 256 + specials || vocabularySize > VocabularySizeMax)
        {
            throw new InputException(
                $"a vocabulary of {vocabularySize} is out of range: choose {256 + specials} (every byte and {specials} special) to {VocabularySizeMax}.");
        }
    }

    /// <summary>Trains on the documents that are not held out.</summary>
    /// <param name="corpus">Any corpus.</param>
    /// <param name="vocabularySize">256 bytes + special tokens + merges. Fewer come out if no pair occurs twice any more.</param>
    /// <param name="specialTokens">Their texts; by default only <see cref="Tokenizer.EndOfText"/>, which must be among them.</param>
    /// <exception cref="InputException">The size is out of range.</exception>
    /// <remarks>Cost: one pass over the text on all cores, then about 0.1 ms per merge.</remarks>
    public static Tokenizer Train(Corpus corpus, int vocabularySize, IReadOnlyList<string>? specialTokens = null)
    {
        var special = specialTokens ?? [Tokenizer.EndOfText];
        Invariant.Check(special.Contains(Tokenizer.EndOfText) && special.Distinct(StringComparer.Ordinal).Count() == special.Count);
        CheckSize(vocabularySize, special.Count);
        var sizeMin = 256 + special.Count;
        var words = WordCounts.Of(corpus, PreTokenizer.Threes);
        var learner = new MergeLearner(words, firstId: sizeMin);
        learner.Run(vocabularySize - sizeMin);
        return Build(learner, special);
    }

    private static Tokenizer Build(MergeLearner learner, IReadOnlyList<string> special)
    {
        var tokens = new List<byte[]>(learner.Tokens.Count + 256 + special.Count);
        for (var value = 0; value < 256; value++)
        {
            tokens.Add([(byte)value]);
        }

        tokens.AddRange(special.Select(Encoding.UTF8.GetBytes));
        tokens.AddRange(learner.Tokens);
        var parts = new TokenizerParts
        {
            Family = TokenizerFamily.Llama3,
            Tokens = tokens,
            Kinds = [.. tokens.Select((_, id) => id >= 256 && id < 256 + special.Count ? TokenKind.Control : TokenKind.Normal)],
            Merges = learner.Merges,
        };
        return Tokenizer.Of(parts, "the trained vocabulary");
    }
}
