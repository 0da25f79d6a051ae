using System.Globalization;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Reads all sources in order, leaves out what is to be left out, and keeps the rest in blocks on the disk. Killed at any instant, it goes on after the
/// last complete block, and the blocks are the same.</summary>
/// <remarks>Documents are read one after another, looked at on all threads a batch at a time, and decided upon in order: no thread count changes a byte. What was
/// said before is remembered anew from the complete blocks when it goes on.</remarks>
internal sealed class Gathering(PreparationOptions options, string folder, IProgress<string>? progress)
{
    private const int BatchDocuments = 4096;
    private const long BatchBytes = 16 << 20;
    private readonly IReadOnlyList<WeightedSource> _sources = options.AllSources;
    private readonly List<BlockState> _blocks = [];
    private Remembered _remembered = new(options.Duplicates, options.DuplicateBytes);
    private int _part;
    private double _falseBefore;

    /// <summary>All blocks, in order.</summary>
    public IReadOnlyList<BlockState> Blocks => _blocks;

    /// <summary>Counts by source, once all are read.</summary>
    public IReadOnlyList<SourceCounts> Counts => [.. Enumerable.Range(0, _sources.Count).Select(source => _blocks.Last(block => block.Source == source).Counts)];

    /// <summary>The part of new documents that the memory took for known by chance, at the end: an upper bound for all of them, in each part.</summary>
    public double FalsePart => Math.Max(_falseBefore, _remembered.FalsePart);

    /// <summary>Reads what is left to read.</summary>
    /// <exception cref="InputException">A source cannot be used.</exception>
    public void Run()
    {
        Resume();
        var first = _blocks.Count == 0 ? 0 : _blocks[^1].IsLast ? _blocks[^1].Source + 1 : _blocks[^1].Source;
        for (var source = first; source < _sources.Count; source++)
        {
            BeginPartOf(source);
            ReadSource(source, _blocks.Count > 0 && _blocks[^1].Source == source ? _blocks[^1] : null);
        }
    }

    private void Resume()
    {
        for (var number = 0; GatheredBlock.Find(folder, number) is { } state; number++)
        {
            if (GatheredBlock.TryRead(folder, number, state) is not { } block)
            {
                break;
            }

            BeginPartOf(state.Source);
            if (options.Duplicates != Duplicates.Kept)
            {
                foreach (var (said, _) in Look(block.Texts, judges: false))
                {
                    _remembered.Remember(said);
                }
            }

            _blocks.Add(state);
        }

        if (_blocks.Count > 0)
        {
            progress?.Report($"going on after {_blocks.Count} complete blocks of text");
        }
    }

    // Each part remembers by itself what was said before.
    private void BeginPartOf(int source)
    {
        var part = source < options.Sources.Count ? 0 : 1;
        if (part != _part)
        {
            (_part, _falseBefore) = (part, _remembered.FalsePart);
            _remembered = new Remembered(options.Duplicates, options.DuplicateBytes);
        }
    }

    private void ReadSource(int source, BlockState? from)
    {
        var files = SourceFiles.Find(_sources[source].Path);
        var counts = from is null ? new SourceCounts() : from.Counts with { Lost = [.. from.Counts.Lost], LostBytes = [.. from.Counts.LostBytes] };
        var (block, batch, batchBytes) = (new GatheredBlock(), new List<byte[]>(), 0L);
        for (var file = from?.File ?? 0; file < files.Count; file++)
        {
            var skipped = file == from?.File ? from.Documents : 0;
            var taken = 0L;
            foreach (var text in SourceFiles.Read(files[file], options.TextField))
            {
                if (taken++ < skipped)
                {
                    continue;
                }

                batch.Add(text.ToArray());
                batchBytes += text.Length;
                if (batch.Count >= BatchDocuments || batchBytes >= Math.Min(BatchBytes, options.ShardTextBytes))
                {
                    Take(batch, block, counts);
                    (batchBytes, block) = (0, Finish(block, source, file, taken, isLast: false, counts));
                }
            }

            Take(batch, block, counts);
            (batchBytes, block) = (0, Finish(block, source, file + 1, 0, isLast: file + 1 == files.Count, counts));
        }
    }

    // Writes a block that is full, or the last of its source.
    private GatheredBlock Finish(GatheredBlock block, int source, int file, long documents, bool isLast, SourceCounts counts)
    {
        if (!isLast && block.Bytes < options.ShardTextBytes)
        {
            return block;
        }

        var state = new BlockState
        {
            Source = source,
            File = file,
            Documents = documents,
            IsLast = isLast,
            Digest = block.ComputeDigest().ToString(),
            Counts = counts with { Lost = [.. counts.Lost], LostBytes = [.. counts.LostBytes] },
        };
        block.Write(folder, _blocks.Count, state);
        _blocks.Add(state);
        progress?.Report(string.Create(
            CultureInfo.InvariantCulture,
            $"{_sources[source].Path}: read {counts.ReadBytes / 1e6:F1} MB in {counts.Read:N0} documents, kept {counts.KeptBytes / 1e6:F1} MB " +
            $"in {counts.Kept:N0}"));
        return new GatheredBlock();
    }

    private void Take(List<byte[]> batch, GatheredBlock block, SourceCounts counts)
    {
        var at = 0;
        foreach (var (said, form) in Look(batch, judges: true))
        {
            var text = batch[at++];
            var loss = form == Loss.None ? _remembered.Judge(said) : form;
            counts.Read++;
            counts.ReadBytes += text.Length;
            if (loss == Loss.None)
            {
                counts.Kept++;
                counts.KeptBytes += text.Length;
                block.Add(text);
            }
            else
            {
                counts.Lost[(int)loss]++;
                counts.LostBytes[(int)loss] += text.Length;
            }
        }

        batch.Clear();
    }

    private (Said Said, Loss Form)[] Look(IReadOnlyList<byte[]> texts, bool judges)
    {
        var found = new (Said, Loss)[texts.Count];
        Parallel.For(
            0, texts.Count, new ParallelOptions { MaxDegreeOfParallelism = options.Threads }, static () => (Words: new WordRuns(), Runs: new List<uint>()),
            (i, _, own) =>
            {
                found[i] = Look(texts[i], own.Words, own.Runs, judges);
                return own;
            },
            static _ => { });
        return found;
    }

    private (Said Said, Loss Form) Look(byte[] text, WordRuns words, List<uint> runs, bool judges)
    {
        if (options.Filter is null && options.Duplicates == Duplicates.Kept)
        {
            return (new Said(default, null), Loss.None);
        }

        words.Read(text);
        var form = judges && options.Filter is { } filter ? filter.Judge(text, words) : Loss.None;
        if (form != Loss.None || options.Duplicates != Duplicates.Near)
        {
            return (new Said(words.Whole(), null), form);
        }

        var bands = new ulong[MinHash.Bands];
        words.Runs(runs);
        MinHash.Sign(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(runs), bands);
        return (new Said(words.Whole(), bands), form);
    }
}
