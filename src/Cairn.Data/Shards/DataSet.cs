using Cairn.Base;

namespace Cairn.Data;

/// <summary>A folder with everything that training reads: tokenizer.json, shards to train on, a held-out shard, manifest.json.</summary>
/// <remarks>Which sample is trained when is not decided here: the ledger cuts an epoch's order, SeededPermutation(seed, "epoch", number of the epoch)
/// over <see cref="SampleCount"/>, or over each of its two parts, among the peers of each round.</remarks>
public sealed class DataSet : IDisposable
{
    /// <summary>The name of the tokenizer's file.</summary>
    public const string TokenizerFileName = "tokenizer.json";

    private readonly TokenShard[] _train;

    private DataSet(string folder, DataManifest manifest, Tokenizer tokenizer, TokenShard[] train, TokenShard heldOut)
    {
        (Folder, Manifest, Tokenizer, _train, HeldOut) = (folder, manifest, tokenizer, train, heldOut);
    }

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>Counts and digests.</summary>
    public DataManifest Manifest { get; }

    /// <summary>Names tokenizer and all shards.</summary>
    public Digest Digest => Manifest.Digest;

    /// <summary>Text to ids and back.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Shards to train on, in order.</summary>
    public IReadOnlyList<TokenShard> Train => _train;

    /// <summary>The shard to measure on: none of its documents is trained on.</summary>
    public TokenShard HeldOut { get; }

    /// <summary>The files that make up a data set, the manifest first.</summary>
    /// <param name="manifest">Its manifest.</param>
    public static IEnumerable<string> FilesOf(DataManifest manifest) =>
        new[] { DataManifest.FileName, TokenizerFileName, Path.GetFileName(HeldOutPath("")) }
            .Concat(Enumerable.Range(0, manifest.Train.Count).Select(i => Path.GetFileName(TrainPath("", i))));

    /// <summary>Makes the data set, or what of it is missing, and opens it. Does nothing if the folder holds just this data set.</summary>
    /// <param name="options">Text and vocabulary.</param>
    /// <param name="folder">Where; created if missing.</param>
    /// <param name="progress">Told each stage in a few words; may be null.</param>
    /// <exception cref="InputException">A source cannot be used or the folder not be written.</exception>
    /// <remarks>The default text takes about a second on two cores. Killed at any instant, the next call goes on with the shards that are complete.
    /// Where the text is named as one folder that holds a data set already, that one is taken as it is.</remarks>
    public static DataSet Prepare(DataSetOptions options, string folder, IProgress<string>? progress = null) =>
        options.Corpus.Paths is [var path] && IsIn(path) ? Take(path, options.TokenizerPath, folder, progress) : new DataSetBuilder(options, folder, progress).Run();

    /// <summary>Whether a folder holds a data set.</summary>
    /// <param name="folder">Any path.</param>
    public static bool IsIn(string folder) =>
        File.Exists(Path.Combine(folder, DataManifest.FileName)) && File.Exists(HeldOutPath(folder)) && File.Exists(TrainPath(folder, 0));

    private static DataSet Take(string from, string? tokenizer, string folder, IProgress<string>? progress)
    {
        using (var there = Open(from))
        {
            if (tokenizer is not null && Tokenizer.Load(tokenizer).Digest != there.Tokenizer.Digest)
            {
                throw new InputException($"the data set in {from} was made with another tokenizer than {tokenizer}: make it again with --tokenizer.");
            }

            progress?.Report($"taking the data set in {from}");
            if (!Holds(folder, there.Digest))
            {
                Copy(from, folder, there.Manifest);
            }
        }

        return Open(folder);
    }

    // A manifest that was torn by the death of a process is none.
    private static bool Holds(string folder, Digest digest)
    {
        try
        {
            return IsIn(folder) && DataManifest.Load(Path.Combine(folder, DataManifest.FileName)).Digest == digest;
        }
        catch (InputException)
        {
            return false;
        }
    }

    // The manifest last: with it the set is whole.
    private static void Copy(string from, string folder, DataManifest manifest)
    {
        try
        {
            Directory.CreateDirectory(folder);
            foreach (var name in FilesOf(manifest).Reverse())
            {
                using var file = File.OpenRead(Path.Combine(from, name));
                DurableFile.Write(Path.Combine(folder, name), file.CopyTo);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"the data set in {from} cannot be copied to {folder}: {e.Message} Free some space, or choose another folder.", e);
        }
    }

    /// <summary>Opens the data set of a folder if it was made of the same sources in the same way.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="key">Names sources and options.</param>
    /// <param name="progress">Told why one that is there is not used.</param>
    /// <returns>Null if it is to be made.</returns>
    internal static DataSet? TryReuse(string folder, Digest key, IProgress<string>? progress)
    {
        var path = Path.Combine(folder, DataManifest.FileName);
        try
        {
            return File.Exists(path) && DataManifest.Load(path).Key == key ? Open(folder) : null;
        }
        catch (InputException e)
        {
            progress?.Report($"making the data set again: {e.Message}");
            return null;
        }
    }

    /// <summary>Opens a data set and checks every byte of it.</summary>
    /// <param name="folder">Where.</param>
    /// <exception cref="InputException">Something is missing or damaged.</exception>
    public static DataSet Open(string folder)
    {
        var path = Path.Combine(folder, DataManifest.FileName);
        if (!File.Exists(path))
        {
            throw new InputException($"{folder} holds no data set: make one with 'cairn data prepare --out {folder}'.");
        }

        var manifest = DataManifest.Load(path);
        var tokenizer = Tokenizer.Load(Path.Combine(folder, TokenizerFileName));
        if (tokenizer.Digest != manifest.Tokenizer || tokenizer.VocabularySize != manifest.VocabularySize)
        {
            throw new InputException($"{Path.Combine(folder, TokenizerFileName)} is not the tokenizer of this data set: run 'cairn data prepare' again.");
        }

        var shards = new List<TokenShard>();
        try
        {
            for (var i = 0; i < manifest.Train.Count; i++)
            {
                shards.Add(OpenShard(TrainPath(folder, i), manifest.Train[i], manifest));
            }

            return new DataSet(folder, manifest, tokenizer, [.. shards], OpenShard(HeldOutPath(folder), manifest.HeldOut, manifest));
        }
        catch
        {
            shards.ForEach(static shard => shard.Dispose());
            throw;
        }
    }

    /// <summary>How many of the last samples form the annealing part; 0 where there is none.</summary>
    /// <param name="length">Inputs of a sample, at least 1.</param>
    public long AnnealSampleCount(int length) => _train.TakeLast(Manifest.AnnealShards).Sum(shard => shard.SampleCount(length));

    /// <summary>How many whole samples there are to train on, those of the annealing part counted; samples do not span shards.</summary>
    /// <param name="length">Inputs of a sample, at least 1.</param>
    public long SampleCount(int length) => _train.Sum(shard => shard.SampleCount(length));

    /// <summary>Copies a sample to train on.</summary>
    /// <param name="sample">0 to <see cref="SampleCount"/> − 1.</param>
    /// <param name="length">Its inputs, T.</param>
    /// <param name="inputs">Receives T ids.</param>
    /// <param name="targets">Receives T ids: of each input the id that follows it, the ends of documents included.</param>
    public void CopySample(long sample, int length, Span<int> inputs, Span<int> targets)
    {
        Invariant.Check(sample >= 0);
        foreach (var shard in _train)
        {
            var count = shard.SampleCount(length);
            if (sample < count)
            {
                shard.CopySample(sample, length, inputs, targets);
                return;
            }

            sample -= count;
        }

        Invariant.Fail("sample < SampleCount(length)");
    }

    /// <summary>How many bytes of text the targets of a held-out sample stand for: bits per byte = Σ nats ÷ (ln 2 · Σ bytes).
    /// Ends of documents count no byte.</summary>
    /// <param name="sample">0 to the sample count of <see cref="HeldOut"/> − 1.</param>
    /// <param name="length">Its inputs, T.</param>
    public int HeldOutBytes(long sample, int length)
    {
        var inputs = new int[length];
        var targets = new int[length];
        HeldOut.CopySample(sample, length, inputs, targets);
        var bytes = 0;
        foreach (var id in targets)
        {
            bytes += Tokenizer.ByteLength(id);
        }

        return bytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var shard in _train)
        {
            shard.Dispose();
        }

        HeldOut.Dispose();
    }

    internal static string TrainPath(string folder, int index) => Path.Combine(folder, $"train-{index:D5}.tokens");

    internal static string HeldOutPath(string folder) => Path.Combine(folder, "held-out.tokens");

    private static TokenShard OpenShard(string path, ShardEntry entry, DataManifest manifest)
    {
        var shard = TokenShard.Open(path);
        if (shard.Digest == entry.Digest && shard.Tokenizer == manifest.Tokenizer && shard.VocabularySize == manifest.VocabularySize)
        {
            return shard;
        }

        shard.Dispose();
        throw new InputException($"{path} is not the shard that {DataManifest.FileName} names: run 'cairn data prepare' again.");
    }
}
