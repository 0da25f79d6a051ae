using System.Buffers.Binary;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Makes a data set from more text than fits into memory, in four steps that each go on where they were killed: gather and leave out, choose by weight and
/// hold out, train a vocabulary, encode a shard for each block. The same text and options give the same bytes, however often it was killed and on however many
/// threads.</summary>
public sealed class DataPreparation
{
    private const int KeyVersion = 1;
    private readonly PreparationOptions _options;
    private readonly string _folder;
    private readonly IProgress<string>? _progress;
    private readonly IReadOnlyList<WeightedSource> _sources;
    private readonly IReadOnlyList<IReadOnlyList<string>> _files;

    private DataPreparation(PreparationOptions options, string folder, IProgress<string>? progress)
    {
        (_options, _folder, _progress) = (options, folder, progress);
        _sources = options.AllSources;
        _files = [.. _sources.Select(source => SourceFiles.Find(source.Path))];
    }

    private string Work => Path.Combine(_folder, "work");

    private string WorkTokenizer => Path.Combine(Work, DataSet.TokenizerFileName);

    /// <summary>True if a path is, or holds, what only a preparation reads.</summary>
    /// <param name="path">A file or a folder.</param>
    public static bool IsNeededFor(string path) =>
        SourceFiles.IsPacked(path) || (Directory.Exists(path) && SourceFiles.Find(path).Any(SourceFiles.IsPacked));

    /// <summary>Makes the data set, or what of it is missing, and opens it. Does nothing if the folder holds just this data set.</summary>
    /// <param name="options">Text and what to do with it.</param>
    /// <param name="folder">Where; created if missing. Needs room for the text that is kept as well, until it is done.</param>
    /// <param name="progress">Told each stage in a few words; may be null.</param>
    /// <exception cref="InputException">A source or an option cannot be used, or the folder not be written.</exception>
    public static DataSet Run(PreparationOptions options, string folder, IProgress<string>? progress = null)
    {
        Check(options);
        return new DataPreparation(options, folder, progress).Run();
    }

    private static void Check(PreparationOptions options)
    {
        Invariant.Check(options.HeldOutPart is > 0 and < 1 && options.Threads > 0 && options.ShardTextBytes > 0);
        CheckMix(options.Sources, "a mix");
        if (options.AnnealSources.Count > 0)
        {
            CheckMix(options.AnnealSources, "an annealing mix");
        }

        if (options.TokenizerPath is null)
        {
            BpeTrainer.CheckSize(options.VocabularySize);
        }
    }

    private static void CheckMix(IReadOnlyList<WeightedSource> sources, string what)
    {
        var weighted = sources.Count(source => source.Weight is not null);
        if (sources.Count is 0 or > 1000 || (weighted > 0 && weighted < sources.Count) || sources.Any(source => source.Weight is <= 0 or > 1e9 or double.NaN))
        {
            throw new InputException($"{what} has 1 to 1,000 sources, each with a weight above 0.");
        }
    }

    private DataSet Run()
    {
        var given = _options.TokenizerPath is null ? null : Tokenizer.Load(_options.TokenizerPath);
        var key = ComputeKey(given);
        if (DataSet.TryReuse(_folder, key, _progress) is { } ready)
        {
            _progress?.Report($"reusing the data set in {_folder}");
            // Whoever was killed after the manifest left it.
            DeleteWork();
            return ready;
        }

        Begin(key);
        var gathering = new Gathering(_options, Work, _progress);
        gathering.Run();
        var choice = new Choice(_options, gathering.Counts);
        var (heldOut, sources) = Survey(gathering.Blocks, choice);
        var tokenizer = given ?? VocabularyOf(gathering.Blocks, choice, heldOut);
        var (train, annealShards) = Encode(gathering.Blocks, choice, tokenizer);
        var held = DataSetBuilder.WriteShard(DataSet.HeldOutPath(_folder), tokenizer, heldOut);
        var manifest = new DataManifest(Describe(), key, CorpusOf(gathering.Blocks, choice), tokenizer.Digest, tokenizer.VocabularySize, train, held, annealShards);
        WriteCard(manifest, sources, gathering);
        DurableFile.Write(Path.Combine(_folder, DataSet.TokenizerFileName), tokenizer.Save);
        DurableFile.Write(Path.Combine(_folder, DataManifest.FileName), manifest.Save);
        DeleteWork();
        _progress?.Report($"{manifest.TrainTokens} tokens to train on, {held.Tokens} held out");
        return DataSet.Open(_folder);
    }

    private void DeleteWork()
    {
        if (Directory.Exists(Work))
        {
            Directory.Delete(Work, recursive: true);
        }
    }

    // Names, sizes and times of the files instead of their content, and every option that changes a byte.
    private Digest ComputeKey(Tokenizer? given)
    {
        var key = new WireWriter();
        key.Text("preparation");
        key.Int32(KeyVersion);
        key.Text(_options.TextField);
        key.Double(_options.HeldOutPart);
        key.Int64(_options.HeldOutBytesMax);
        key.Int64(_options.ShardTextBytes);
        key.Int32(given is null ? _options.VocabularySize : 0);
        key.Int64(given is null ? _options.VocabularyBytesMax : 0);
        key.Digest(given?.Digest ?? Digest.Zero);
        key.Int32((int)_options.Duplicates);
        key.Int64(_options.Duplicates == Duplicates.Kept ? 0 : _options.DuplicateBytes);
        key.Byte(_options.Filter is null ? (byte)0 : (byte)1);
        foreach (var value in _options.Filter is { } f ? (double[])[f.WordsMin, f.BytesMax, f.WordBytesMin, f.WordBytesMax, f.LettersMin, f.RepeatedMax] : [])
        {
            key.Double(value);
        }

        for (var source = 0; source < _files.Count; source++)
        {
            if (source == _options.Sources.Count)
            {
                key.Text("anneal");
            }

            key.Double(_sources[source].Weight ?? 0);
            key.Int32(_files[source].Count);
            foreach (var file in _files[source].Select(path => new FileInfo(path)))
            {
                key.Text(file.FullName);
                key.Int64(file.Length);
                key.Int64(file.LastWriteTimeUtc.Ticks);
            }
        }

        return Digest.Of("cairn/data-key", key.Written);
    }

    // From here on the folder holds work of these sources and options only.
    private void Begin(Digest key)
    {
        var path = Path.Combine(Work, "key");
        try
        {
            if (File.Exists(path) && File.ReadAllText(path) == key.ToString())
            {
                return;
            }

            if (Directory.Exists(Work))
            {
                Directory.Delete(Work, recursive: true);
            }

            Directory.CreateDirectory(Work);
            foreach (var old in Directory.EnumerateFiles(_folder, "*.tokens").Append(Path.Combine(_folder, DataManifest.FileName)))
            {
                File.Delete(old);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"the data folder {_folder} cannot be used: {e.Message} Choose another.", e);
        }

        DurableFile.Write(path, System.Text.Encoding.ASCII.GetBytes(key.ToString()));
    }

    private GatheredBlock BlockOf(IReadOnlyList<BlockState> blocks, int number) => GatheredBlock.TryRead(Work, number, blocks[number])
        ?? throw new InputException($"the work in {Work} is damaged: delete that folder, and begin again.");

    // What is held out, and how much of each source is taken.
    private (List<Document> HeldOut, List<(long Documents, long Bytes)> Taken) Survey(IReadOnlyList<BlockState> blocks, Choice choice)
    {
        var (heldOut, trained, known) = (new List<Document>(), new long[2], new HashSet<Digest>());
        var taken = _sources.Select(_ => (Documents: 0L, Bytes: 0L)).ToList();
        for (var number = 0; number < blocks.Count; number++)
        {
            var source = blocks[number].Source;
            foreach (var (text, held) in Chosen(BlockOf(blocks, number), source, choice))
            {
                taken[source] = (taken[source].Documents + 1, taken[source].Bytes + text.Length);
                trained[PartOf(source)] += held ? 0 : 1;

                // What both parts say is trained on in neither, and measured on once.
                if (held && (_options.AnnealSources.Count == 0 || known.Add(Digest.Of("cairn/held-out", text))))
                {
                    heldOut.Add(new Document(text, true));
                }
            }
        }

        if (_options.AnnealSources.Count > 0 && trained[1] == 0)
        {
            throw new InputException("too little text is left of the annealing mix: no document to train on. Give more text with --anneal-mix, or leave out less.");
        }

        return heldOut.Count > 0 && trained[0] > 0 ? (heldOut, taken)
            : throw new InputException(
                $"too little text is left: {trained[0]} documents to train on and {heldOut.Count} held out. Give more text, leave out less, or hold out another part.");
    }

    private int PartOf(int source) => source < _options.Sources.Count ? 0 : 1;

    private IEnumerable<(byte[] Text, bool HeldOut)> Chosen(GatheredBlock block, int source, Choice choice)
    {
        var chosen = new (bool Taken, bool HeldOut)[block.Texts.Count];
        Parallel.For(0, chosen.Length, new ParallelOptions { MaxDegreeOfParallelism = _options.Threads }, i => chosen[i] = choice.Of(block.Texts[i], source));
        for (var i = 0; i < chosen.Length; i++)
        {
            if (chosen[i].Taken)
            {
                yield return (block.Texts[i], chosen[i].HeldOut);
            }
        }
    }

    private Tokenizer VocabularyOf(IReadOnlyList<BlockState> blocks, Choice choice, List<Document> heldOut)
    {
        if (File.Exists(WorkTokenizer))
        {
            return Tokenizer.Load(WorkTokenizer);
        }

        var documents = new List<Document>(heldOut.Take(1));
        for (var number = 0; number < blocks.Count; number++)
        {
            foreach (var (text, held) in Chosen(BlockOf(blocks, number), blocks[number].Source, choice))
            {
                if (!held && choice.TeachesVocabulary(text))
                {
                    documents.Add(new Document(text, false));
                }
            }
        }

        _progress?.Report($"training a vocabulary of {_options.VocabularySize} on {documents.Count - 1:N0} documents");
        var tokenizer = documents.Count > 1 ? BpeTrainer.Train(new Corpus(documents, "sources"), _options.VocabularySize)
            : throw new InputException("too little text is left to train a vocabulary on: give more text, or a tokenizer.");
        DurableFile.Write(WorkTokenizer, tokenizer.Save);
        return tokenizer;
    }

    private (List<ShardEntry> Train, int AnnealShards) Encode(IReadOnlyList<BlockState> blocks, Choice choice, Tokenizer tokenizer)
    {
        var (entries, annealShards) = (new List<ShardEntry>(), 0);
        for (var number = 0; number < blocks.Count; number++)
        {
            _progress?.Report($"encoding block {number + 1} of {blocks.Count}");
            List<Document> documents =
            [
                .. Chosen(BlockOf(blocks, number), blocks[number].Source, choice).Where(one => !one.HeldOut).Select(one => new Document(one.Text, false)),
            ];
            if (documents.Count > 0)
            {
                entries.Add(DataSetBuilder.WriteShard(DataSet.TrainPath(_folder, entries.Count), tokenizer, documents));
                annealShards += PartOf(blocks[number].Source);
            }
        }

        return (entries, annealShards);
    }

    private static Digest CorpusOf(IReadOnlyList<BlockState> blocks, Choice choice)
    {
        using var hasher = new Hasher("cairn/prepared-corpus");
        foreach (var block in blocks)
        {
            hasher.Append(block.Source);
            hasher.Append(System.Text.Encoding.ASCII.GetBytes(block.Digest));
        }

        foreach (var limit in choice.Limits)
        {
            hasher.Append((long)limit);
        }

        return hasher.Finish();
    }

    private void WriteCard(DataManifest manifest, List<(long Documents, long Bytes)> taken, Gathering gathering)
    {
        var all = Enumerable.Range(0, 2).Select(part => Math.Max(1, taken.Where((_, i) => PartOf(i) == part).Sum(one => one.Bytes))).ToList();
        List<CardSource> sources = [.. gathering.Counts.Select((counts, i) => new CardSource(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_sources[i].Path))), _files[i].Count, _sources[i].Weight, counts.Read,
            counts.ReadBytes,
            [.. Enum.GetValues<Loss>().Where(loss => counts.Lost[(int)loss] > 0)
                .Select(loss => new CardLoss(loss.ToString().ToLowerInvariant(), counts.Lost[(int)loss], counts.LostBytes[(int)loss]))],
            counts.Kept, counts.KeptBytes, (double)taken[i].Bytes / Math.Max(1, counts.KeptBytes), taken[i].Documents, taken[i].Bytes,
            (double)taken[i].Bytes / all[PartOf(i)]))];
        var card = new DataCard(
            manifest.Digest.ToString(), manifest.Corpus.ToString(), manifest.Tokenizer.ToString(), manifest.VocabularySize, manifest.TrainTokens,
            manifest.Train.Sum(shard => shard.Documents), manifest.HeldOut.Tokens, manifest.HeldOut.Documents, manifest.BytesPerToken, _options.Filter,
            _options.Duplicates.ToString(), gathering.FalsePart, [.. sources.Take(_options.Sources.Count)],
            [.. manifest.Train.Append(manifest.HeldOut).Select(shard => shard.Digest.ToString())],
            manifest.AnnealShards == 0 ? null : new CardAnneal(
                manifest.Anneal.Sum(shard => shard.Tokens), manifest.Anneal.Sum(shard => shard.Documents), manifest.AnnealShards,
                [.. sources.Skip(_options.Sources.Count)]));
        DurableFile.Write(Path.Combine(_folder, DataCard.JsonName), card.ToJson());
        DurableFile.Write(Path.Combine(_folder, DataCard.MarkdownName), System.Text.Encoding.UTF8.GetBytes(card.ToMarkdown()));
    }

    private string Describe()
    {
        var files = _files.SelectMany(files => files).ToList();
        return files.Count == 1 ? Path.GetFileName(files[0]) : $"{files.Count} files from {Path.GetFileName(files[0])} to {Path.GetFileName(files[^1])}";
    }

    /// <summary>Which texts are taken, held out, and taught from, each by a hash of the text under its own tag: equal texts always go the same way, wherever they
    /// stand.</summary>
    private sealed class Choice
    {
        private readonly ulong[] _taken;
        private readonly ulong _heldOut;
        private readonly ulong _taught;

        public Choice(PreparationOptions options, IReadOnlyList<SourceCounts> counts)
        {
            var (main, mainBytes) = Take(options.Sources, counts.Take(options.Sources.Count));
            var (anneal, annealBytes) = options.AnnealSources.Count == 0 ? ([], 0) : Take(options.AnnealSources, counts.Skip(options.Sources.Count));
            (_taken, var bytes) = ([.. main, .. anneal], mainBytes + annealBytes);
            _heldOut = LimitOf(Math.Min(options.HeldOutPart, options.HeldOutBytesMax / Math.Max(1, bytes)));
            _taught = LimitOf(options.VocabularyBytesMax / Math.Max(1, bytes));
        }

        // By the weights, of each source of a part as much as its scarcest one allows: nothing is taken twice.
        private static (ulong[] Taken, double Bytes) Take(IReadOnlyList<WeightedSource> sources, IEnumerable<SourceCounts> counts)
        {
            var scale = sources.Zip(counts, (source, count) => source.Weight is { } weight ? count.KeptBytes / weight : double.PositiveInfinity).Min();
            ulong[] taken = [.. sources.Zip(counts, (source, count) =>
                source.Weight is { } weight ? LimitOf(count.KeptBytes == 0 ? 0 : scale * weight / count.KeptBytes) : LimitOf(1))];
            return (taken, sources.Zip(counts, (source, count) => source.Weight is { } weight ? scale * weight : count.KeptBytes).Sum());
        }

        public IEnumerable<ulong> Limits => [.. _taken, _heldOut];

        public (bool Taken, bool HeldOut) Of(byte[] text, int source) =>
            Hash("cairn/mix", text) <= _taken[source] ? (true, Hash("cairn/held-out", text) < _heldOut) : (false, false);

        public bool TeachesVocabulary(byte[] text) => Hash("cairn/vocabulary-text", text) <= _taught;

        private static ulong Hash(string tag, byte[] text)
        {
            Span<byte> digest = stackalloc byte[Digest.Size];
            Digest.Of(tag, text).CopyTo(digest);
            return BinaryPrimitives.ReadUInt64BigEndian(digest) >> 1;
        }

        private static ulong LimitOf(double part) => part >= 1 ? ulong.MaxValue >> 1 : (ulong)(part * (1UL << 63));
    }
}
