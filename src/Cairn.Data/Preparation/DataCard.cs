using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Data;

/// <summary>What was left out of a source for one reason.</summary>
/// <param name="Why">The reason.</param>
/// <param name="Documents">How many.</param>
/// <param name="Bytes">How much.</param>
public sealed record CardLoss(string Why, long Documents, long Bytes);

/// <summary>A source on a card.</summary>
/// <param name="Name">The name of its file or folder.</param>
/// <param name="Files">Files that were read.</param>
/// <param name="Weight">As it was asked for, or null.</param>
/// <param name="Read">Documents that were read.</param>
/// <param name="ReadBytes">Their bytes.</param>
/// <param name="Losses">What was left out.</param>
/// <param name="Kept">Documents that were kept.</param>
/// <param name="KeptBytes">Their bytes.</param>
/// <param name="Taken">The part of what was kept that the weights took, 0 to 1.</param>
/// <param name="TakenDocuments">Documents of it in the data set.</param>
/// <param name="TakenBytes">Their bytes.</param>
/// <param name="Part">Its part of all text of the data set, 0 to 1.</param>
public sealed record CardSource(
    string Name, int Files, double? Weight, long Read, long ReadBytes, IReadOnlyList<CardLoss> Losses, long Kept, long KeptBytes, double Taken, long TakenDocuments,
    long TakenBytes, double Part);

/// <summary>The annealing part of a data set, on a card.</summary>
/// <param name="Tokens">Tokens to train on at the end of a run; the last of the set's.</param>
/// <param name="Documents">Documents of them.</param>
/// <param name="Shards">How many of the last shards to train on they are.</param>
/// <param name="Sources">Where it is from; parts are parts of its own text.</param>
public sealed record CardAnneal(long Tokens, long Documents, int Shards, IReadOnlyList<CardSource> Sources);

/// <summary>What a data set is made of, for people (CARD.md) and programs (card.json). The same text and options give the same card.</summary>
/// <param name="Digest">Of the data set.</param>
/// <param name="Corpus">Of its text.</param>
/// <param name="Tokenizer">Of its tokenizer.</param>
/// <param name="VocabularySize">Tokens.</param>
/// <param name="TrainTokens">Tokens to train on, those of the annealing part counted.</param>
/// <param name="TrainDocuments">Documents of them.</param>
/// <param name="HeldOutTokens">Tokens to measure on.</param>
/// <param name="HeldOutDocuments">Documents of them.</param>
/// <param name="HeldOutBytesPerToken">Bytes of text for each.</param>
/// <param name="Filter">What was left out for its form, or null.</param>
/// <param name="Duplicates">What was left out as said before.</param>
/// <param name="FalseDuplicates">At most this part of what is new was left out as said before, for want of memory.</param>
/// <param name="Sources">Where it is from; the main part of it, where there are two.</param>
/// <param name="Shards">Digests of the shards, those to train on first.</param>
/// <param name="Anneal">What a run ends with, or null.</param>
public sealed record DataCard(
    string Digest, string Corpus, string Tokenizer, int VocabularySize, long TrainTokens, long TrainDocuments, long HeldOutTokens, long HeldOutDocuments,
    double HeldOutBytesPerToken, TextFilter? Filter, string Duplicates, double FalseDuplicates, IReadOnlyList<CardSource> Sources, IReadOnlyList<string> Shards,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] CardAnneal? Anneal = null)
{
    /// <summary>The file for programs.</summary>
    public const string JsonName = "card.json";

    /// <summary>The file for people.</summary>
    public const string MarkdownName = "CARD.md";

    /// <summary>As JSON.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, PreparationJson.Default.DataCard);

    /// <summary>As Markdown.</summary>
    public string ToMarkdown()
    {
        var (page, culture) = (new StringBuilder(), CultureInfo.InvariantCulture);
        page.Append(culture, $"# Data set {Digest[..16]}\n\n");
        page.Append(culture, $"{TrainTokens:N0} tokens of {TrainDocuments:N0} documents to train on, {HeldOutTokens:N0} tokens of ");
        page.Append(culture, $"{HeldOutDocuments:N0} documents held out, ");
        page.Append(culture, $"{VocabularySize:N0} tokens in the vocabulary, {HeldOutBytesPerToken:F2} bytes of held-out text each.\n");
        if (Anneal is not null)
        {
            page.Append(culture, $"\nOf those to train on, {Anneal.Tokens:N0} tokens of {Anneal.Documents:N0} documents are for the end of a run: the annealing part, ");
            page.Append(culture, $"in the last {Anneal.Shards:N0} of {Shards.Count - 1:N0} shards. Held out is of both parts, and trained on in neither.\n");
        }

        page.Append("\n## Sources\n\n");
        Table(page, Sources);
        if (Anneal is not null)
        {
            page.Append("\n## Sources of the annealing part\n\n");
            Table(page, Anneal.Sources);
        }

        page.Append("\nThe parts are parts of bytes. What is taken of a source is chosen by a hash of each text.\n\n## Left out\n\n");
        page.Append("| source | why | documents | bytes |\n|---|---|---:|---:|\n");
        foreach (var (one, part) in Sources.Select(one => (one, "")).Concat(Anneal?.Sources.Select(one => (one, " (annealing)")) ?? []))
        {
            foreach (var loss in one.Losses)
            {
                page.Append(culture, $"| {Cell(one.Name)}{part} | {loss.Why} | {loss.Documents:N0} | {loss.Bytes:N0} |\n");
            }
        }

        page.Append('\n').Append(FilterInWords()).Append("\n\n").Append(DuplicatesInWords()).Append("\n\n## Digests\n\n| what | SHA-256 |\n|---|---|\n");
        page.Append(culture, $"| data set | `{Digest}` |\n| text | `{Corpus}` |\n| tokenizer | `{Tokenizer}` |\n");
        for (var i = 0; i < Shards.Count; i++)
        {
            var of = i >= Shards.Count - 1 - (Anneal?.Shards ?? 0) ? " (annealing)" : "";
            page.Append(culture, $"| {(i == Shards.Count - 1 ? "held-out shard" : $"shard {i}{of}")} | `{Shards[i]}` |\n");
        }

        return page.ToString();
    }

    private static void Table(StringBuilder page, IReadOnlyList<CardSource> sources)
    {
        var culture = CultureInfo.InvariantCulture;
        page.Append("| source | files | weight | read | kept | taken | part of the text |\n|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (var one in sources)
        {
            page.Append(culture, $"| {Cell(one.Name)} | {one.Files:N0} | {one.Weight?.ToString("0.####", culture) ?? "all"} | {Amount(one.Read, one.ReadBytes)} ");
            page.Append(culture, $"| {Amount(one.Kept, one.KeptBytes)} | {Amount(one.TakenDocuments, one.TakenBytes)} | {100 * one.Part:F1} % |\n");
        }
    }

    private string FilterInWords() => Filter is null ? "Nothing was left out for its form." : string.Create(
        CultureInfo.InvariantCulture,
        $"Kept for their form are documents of at least {Filter.WordsMin} words and at most {Filter.BytesMax:N0} bytes, whose words have " +
        $"{Filter.WordBytesMin} to {Filter.WordBytesMax} bytes " +
        $"on average, of which at least {100 * Filter.LettersMin:0.#} % of what is no blank is letters or digits, and at most " +
        $"{100 * Filter.RepeatedMax:0.#} % of the runs of {WordRuns.RunLength} " +
        $"words occurred earlier in the same document. They are judged in this order, and the first rule that is broken is counted.");

    private const string ExactInWords =
        "Left out as exact: the same words in the same order, whatever their case, punctuation and spacing, as a document before.";

    private string DuplicatesInWords() => Duplicates switch
    {
        nameof(Data.Duplicates.Kept) => "What was said before was kept.",
        nameof(Data.Duplicates.Exact) => $"{ExactInWords}{False()}",
        _ => $"{ExactInWords} As near: by MinHash over runs of {WordRuns.RunLength} words, {MinHash.Bands} bands of {MinHash.Rows}: of documents that " +
            $"share the part s of their runs, 1 − (1 − s^{MinHash.Rows})^{MinHash.Bands} are found.{False()}",
    };

    private string False() => string.Create(
        CultureInfo.InvariantCulture, $"{(Anneal is null ? "" : " Each part is looked at by itself.")}" +
        $" The memory for it took at most {100 * FalseDuplicates:0.######} % of what was new for known.");

    private static string Amount(long documents, long bytes) => string.Create(CultureInfo.InvariantCulture, $"{documents:N0} ({bytes / 1e6:N1} MB)");

    // A name from a file system ends no table.
    private static string Cell(string name) => string.Concat(name.Select(c => c is '|' or '`' or '<' or '>' || char.IsControl(c) ? '_' : c));
}
