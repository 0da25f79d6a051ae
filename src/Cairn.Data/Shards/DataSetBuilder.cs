using System.Globalization;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Makes a data set in steps that each leave a complete file: tokenizer, shards, manifest. The file "preparing" says for which corpus and tokenizer
/// the shards in the folder are, until the manifest takes its place.</summary>
internal sealed class DataSetBuilder
{
    private const int KeyVersion = 1;
    private readonly DataSetOptions _options;
    private readonly string _folder;
    private readonly IProgress<string>? _progress;

    /// <summary>Begins.</summary>
    /// <param name="options">Text and vocabulary.</param>
    /// <param name="folder">Where.</param>
    /// <param name="progress">Told each stage; may be null.</param>
    public DataSetBuilder(DataSetOptions options, string folder, IProgress<string>? progress)
    {
        (_options, _folder, _progress) = (options, folder, progress);
    }

    private string ManifestPath => Path.Combine(_folder, DataManifest.FileName);

    private string TokenizerPath => Path.Combine(_folder, DataSet.TokenizerFileName);

    private string PreparingPath => Path.Combine(_folder, "preparing");

    /// <summary>Makes what is missing and opens the data set.</summary>
    public DataSet Run()
    {
        var given = _options.TokenizerPath is null ? null : Tokenizer.Load(_options.TokenizerPath);
        if (given is null)
        {
            BpeTrainer.CheckSize(_options.VocabularySize);
        }

        var key = ComputeKey(given);
        if (DataSet.TryReuse(_folder, key, _progress) is { } ready)
        {
            _progress?.Report($"reusing the data set in {_folder}");
            return ready;
        }

        _progress?.Report("reading text");
        var corpus = Corpus.Load(_options.Corpus);
        _progress?.Report($"read {Megabytes(corpus.TrainBytes + corpus.HeldOutBytes)} in {corpus.Documents.Count} documents");
        var tokenizer = given ?? ResumeTokenizer(key, corpus) ?? TrainTokenizer(corpus);
        Begin(key, corpus, tokenizer);
        var train = WriteTrain(corpus, tokenizer);
        var heldOut = WriteShard(DataSet.HeldOutPath(_folder), tokenizer, [.. corpus.Documents.Where(static document => document.HeldOut)]);
        var manifest = new DataManifest(corpus.Source, key, corpus.Digest, tokenizer.Digest, tokenizer.VocabularySize, train, heldOut);
        DurableFile.Write(ManifestPath, manifest.Save);
        File.Delete(PreparingPath);
        _progress?.Report($"{manifest.TrainTokens} tokens to train on, {heldOut.Tokens} held out");
        return DataSet.Open(_folder);
    }

    // Cheap to compute: names, sizes and times of the files instead of their content. What it wrongly takes for new is only made again.
    private Digest ComputeKey(Tokenizer? given)
    {
        var corpus = _options.Corpus;
        var files = corpus.Paths.Count == 0 ? SdkFolders.FindDocumentation() : TextFiles.Find(corpus.Paths);
        var key = new WireWriter();
        key.Int32(KeyVersion);
        key.Text(corpus.JsonField);
        key.Double(corpus.HeldOutPart);
        key.Int64(_options.ShardTextBytes);
        key.Int32(given is null ? _options.VocabularySize : 0);
        key.Digest(given?.Digest ?? Digest.Zero);
        key.Int32(files.Count);
        foreach (var file in files)
        {
            var info = new FileInfo(file);
            key.Text(Path.GetFullPath(file));
            key.Int64(info.Length);
            key.Int64(info.LastWriteTimeUtc.Ticks);
        }

        return Digest.Of("cairn/data-key", key.Written);
    }

    private Tokenizer TrainTokenizer(Corpus corpus)
    {
        _progress?.Report($"training a vocabulary of {_options.VocabularySize}");
        return BpeTrainer.Train(corpus, _options.VocabularySize);
    }

    // The tokenizer that an interrupted call left for the same key and text.
    private Tokenizer? ResumeTokenizer(Digest key, Corpus corpus)
    {
        try
        {
            if (!File.Exists(PreparingPath) || !File.Exists(TokenizerPath))
            {
                return null;
            }

            var tokenizer = Tokenizer.Load(TokenizerPath);
            return File.ReadAllText(PreparingPath) == StateOf(key, corpus, tokenizer) ? tokenizer : null;
        }
        catch (Exception e) when (e is InputException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // From here on the folder holds shards of this tokenizer and corpus only.
    private void Begin(Digest key, Corpus corpus, Tokenizer tokenizer)
    {
        var state = StateOf(key, corpus, tokenizer);
        try
        {
            if (File.Exists(PreparingPath) && File.Exists(TokenizerPath) && File.ReadAllText(PreparingPath) == state)
            {
                return;
            }

            Directory.CreateDirectory(_folder);
            File.Delete(ManifestPath);
            File.Delete(PreparingPath);
            foreach (var shard in Directory.EnumerateFiles(_folder, "*.tokens"))
            {
                File.Delete(shard);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"the data folder {_folder} cannot be used: {e.Message} Choose another.", e);
        }

        DurableFile.Write(TokenizerPath, tokenizer.Save);
        DurableFile.Write(PreparingPath, System.Text.Encoding.ASCII.GetBytes(state));
    }

    private static string StateOf(Digest key, Corpus corpus, Tokenizer tokenizer) => $"{key}\n{corpus.Digest}\n{tokenizer.Digest}\n";

    private List<ShardEntry> WriteTrain(Corpus corpus, Tokenizer tokenizer)
    {
        var entries = new List<ShardEntry>();
        var blocks = DocumentBlocks.Cut(corpus.Documents, heldOut: false, _options.ShardTextBytes);
        foreach (var block in blocks)
        {
            _progress?.Report($"encoding shard {entries.Count + 1} of {blocks.Count}");
            entries.Add(WriteShard(DataSet.TrainPath(_folder, entries.Count), tokenizer, [.. block.Select(index => corpus.Documents[index])]));
        }

        return entries;
    }

    /// <summary>Writes a shard, or finds it whole from a call that was interrupted.</summary>
    internal static ShardEntry WriteShard(string path, Tokenizer tokenizer, IReadOnlyList<Document> documents)
    {
        if (File.Exists(path) && TryResumeShard(path, tokenizer, documents) is { } entry)
        {
            return entry;
        }

        var header = TokenShardWriter.Write(path, tokenizer, documents);
        return new ShardEntry(header.Tokens, header.Documents, header.TextBytes, header.Content);
    }

    private static ShardEntry? TryResumeShard(string path, Tokenizer tokenizer, IReadOnlyList<Document> documents)
    {
        try
        {
            using var shard = TokenShard.Open(path);
            var same = shard.Tokenizer == tokenizer.Digest && shard.Documents == documents.Count && shard.TextBytes == documents.Sum(static d => (long)d.Text.Length);
            return same ? new ShardEntry(shard.Tokens, shard.Documents, shard.TextBytes, shard.Digest) : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    private static string Megabytes(long bytes) => (bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture) + " MB";
}
