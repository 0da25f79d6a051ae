using System.Text.Json;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>What one shard of a data set must be.</summary>
/// <param name="Tokens">Ids, ends of documents included.</param>
/// <param name="Documents">Documents.</param>
/// <param name="TextBytes">Bytes of text.</param>
/// <param name="Digest">Of the content.</param>
public sealed record ShardEntry(long Tokens, long Documents, long TextBytes, Digest Digest);

/// <summary>The manifest.json of a data set: what belongs to it, by digest.</summary>
/// <param name="Source">What the text is, for people.</param>
/// <param name="Key">Names options and source files: the same key, nothing to do.</param>
/// <param name="Corpus">Digest of the corpus.</param>
/// <param name="Tokenizer">Digest of the tokenizer.</param>
/// <param name="VocabularySize">Size of its vocabulary.</param>
/// <param name="Train">Shards to train on, in order; at least one.</param>
/// <param name="HeldOut">The shard to measure on.</param>
/// <param name="AnnealShards">How many of the last of <paramref name="Train"/> are the annealing part, for the end of a run; 0 for none, and fewer than all.</param>
public sealed record DataManifest(
    string Source, Digest Key, Digest Corpus, Digest Tokenizer, int VocabularySize, IReadOnlyList<ShardEntry> Train, ShardEntry HeldOut, int AnnealShards = 0)
{
    private const int Version = 1;
    private const int ShardsMax = 1 << 16;
    private const long FileBytesMax = 16 << 20;
    // Sums over all shards stay inside 64 bits.
    private const long CountMax = 1L << 46;

    /// <summary>The name of the file.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Names the data set: tokenizer, all shards in order, and which of them are the annealing part. Two nodes with this digest train on the
    /// same samples.</summary>
    public Digest Digest
    {
        get
        {
            using var hasher = new Hasher("cairn/data-set");
            hasher.Append(Tokenizer);
            hasher.Append(HeldOut.Digest);
            foreach (var shard in Train)
            {
                hasher.Append(shard.Digest);
            }

            // A set without such a part has the name it always had.
            if (AnnealShards > 0)
            {
                hasher.Append("anneal"u8);
                hasher.Append(AnnealShards);
            }

            return hasher.Finish();
        }
    }

    /// <summary>Bytes of held-out text for each of its ids: bits per byte = nats per token ÷ (ln 2 · this).</summary>
    public double BytesPerToken => (double)HeldOut.TextBytes / HeldOut.Tokens;

    /// <summary>The shards of the main part.</summary>
    public IEnumerable<ShardEntry> Main => Train.SkipLast(AnnealShards);

    /// <summary>The shards of the annealing part; none where there is none.</summary>
    public IEnumerable<ShardEntry> Anneal => Train.TakeLast(AnnealShards);

    /// <summary>Ids to train on, those of the annealing part counted.</summary>
    public long TrainTokens => Train.Sum(static shard => shard.Tokens);

    /// <summary>Reads the file.</summary>
    /// <param name="path">The file, from anywhere.</param>
    /// <exception cref="InputException">It is missing or damaged.</exception>
    public static DataManifest Load(string path)
    {
        var bytes = InputFile.ReadAll(path, FileBytesMax, "the manifest of a data set, made by 'cairn data prepare'");
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version || root.GetProperty("train").GetArrayLength() is < 1 or > ShardsMax)
            {
                throw new FormatException("its version or its count of shards is not one that this program reads.");
            }

            var train = root.GetProperty("train").EnumerateArray().Select(ReadShard).ToList();
            return new DataManifest(
                root.GetProperty("source").GetString() ?? "",
                DigestOf(root, "key"),
                DigestOf(root, "corpus"),
                DigestOf(root, "tokenizer"),
                root.GetProperty("vocabularySize").GetInt32(),
                train,
                ReadShard(root.GetProperty("heldOut")),
                ReadAnnealShards(root, train.Count));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InputException($"{path} is damaged: {e.Message} Run 'cairn data prepare' again.", e);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="stream">Where to.</param>
    public void Save(Stream stream)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("source", Source);
        json.WriteString("key", Key.ToString());
        json.WriteString("corpus", Corpus.ToString());
        json.WriteString("tokenizer", Tokenizer.ToString());
        json.WriteNumber("vocabularySize", VocabularySize);
        json.WriteString("digest", Digest.ToString());
        json.WriteNumber("heldOutBytesPerToken", BytesPerToken);
        json.WriteStartArray("train");
        foreach (var shard in Train)
        {
            WriteShard(json, shard);
        }

        json.WriteEndArray();
        if (AnnealShards > 0)
        {
            json.WriteNumber("annealShards", AnnealShards);
        }

        json.WritePropertyName("heldOut");
        WriteShard(json, HeldOut);
        json.WriteEndObject();
    }

    // One set has one form: where there is no such part, nothing says so.
    private static int ReadAnnealShards(JsonElement root, int shards)
    {
        var count = root.TryGetProperty("annealShards", out var element) ? element.GetInt32() : (int?)null;
        return count is null || (count >= 1 && count < shards) ? count ?? 0
            : throw new FormatException($"'annealShards' is {count} of {shards} shards, must be at least one and not all.");
    }

    private static ShardEntry ReadShard(JsonElement element) =>
        new(Count(element, "tokens"), Count(element, "documents"), Count(element, "textBytes"), DigestOf(element, "digest"));

    private static long Count(JsonElement element, string name)
    {
        var count = element.GetProperty(name).GetInt64();
        return count is >= 0 and <= CountMax ? count : throw new FormatException($"'{name}' is {count}, outside 0 to {CountMax}.");
    }

    private static void WriteShard(Utf8JsonWriter json, ShardEntry shard)
    {
        json.WriteStartObject();
        json.WriteNumber("tokens", shard.Tokens);
        json.WriteNumber("documents", shard.Documents);
        json.WriteNumber("textBytes", shard.TextBytes);
        json.WriteString("digest", shard.Digest.ToString());
        json.WriteEndObject();
    }

    private static Digest DigestOf(JsonElement element, string name) =>
        Digest.TryParse(element.GetProperty(name).GetString(), out var digest) ? digest : throw new FormatException($"'{name}' is no digest.");
}
