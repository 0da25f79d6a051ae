using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Cairn.Base;
using Parquet;
using Parquet.Schema;

namespace Cairn.Data.Tests;

/// <summary>Data sets from more text than fits into memory: the same bytes whatever happens, and what is left out is counted.</summary>
public sealed class PreparationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_same_text_gives_the_same_set_from_every_kind_of_file_and_on_any_number_of_threads()
    {
        var texts = Texts(400, "kinds");
        var plain = Prepare("plain", [WriteLines("a.jsonl", texts)]);
        var digests = new[]
        {
            Prepare("one", [_folder["a.jsonl"]], options => options with { Threads = 1 }),
            Prepare("gz", [Packed("b.jsonl.gz", stream => new GZipStream(stream, CompressionLevel.Fastest))]),
            Prepare("zst", [Packed("c.jsonl.zst", stream => new ZstdSharp.CompressionStream(stream))]),
            Prepare("parquet", [WriteParquet("d.parquet", texts, groups: 3)]),
        };
        Assert.All(digests, digest => Assert.Equal(plain, digest));

        string Packed(string name, Func<Stream, Stream> pack)
        {
            using var file = File.Create(_folder[name]);
            using var stream = pack(file);
            stream.Write(File.ReadAllBytes(_folder["a.jsonl"]));
            return _folder[name];
        }
    }

    [Fact]
    public void Plain_text_is_cut_as_it_comes_without_losing_a_byte()
    {
        var text = string.Join("\n", Texts(6000, "plain")) + "é";
        var path = _folder.Write("book.txt", text);
        var pieces = SourceFiles.Read(path, "text").Select(piece => Encoding.UTF8.GetString(piece.Span)).ToList();
        Assert.Equal(text, string.Concat(pieces));
        Assert.True(pieces.Count > 3);
        Assert.Equal(TextPieces.Cut(Encoding.UTF8.GetBytes(text), 64 << 10).Select(piece => Encoding.UTF8.GetString(piece.Span)), pieces);
    }

    [Fact]
    public void A_preparation_that_was_killed_goes_on_and_gives_the_same_bytes()
    {
        var path = WriteLines("a.jsonl", [.. Texts(300, "first"), .. Texts(100, "first"), .. Texts(300, "second")]);
        PreparationOptions Small(PreparationOptions options) => options with { ShardTextBytes = 48 << 10, Duplicates = Duplicates.Near, DuplicateBytes = 1 << 20 };
        var whole = Prepare("whole", [path], Small);
        var words = new HashSet<string>();
        for (var killed = 1; ; killed++)
        {
            var (left, folder) = (killed, $"killed-{killed}");
            try
            {
                Prepare(folder, [path], Small, new Steps(what =>
                {
                    words.Add(what.Split(' ')[0]);
                    if (--left == 0)
                    {
                        throw new OperationCanceledException();
                    }
                }));
                break;
            }
            catch (OperationCanceledException)
            {
                Assert.Equal(whole, Prepare(folder, [path], Small));
                Assert.Equal(File.ReadAllBytes(_folder["whole/card.json"]), File.ReadAllBytes(_folder[$"{folder}/card.json"]));
                Assert.False(Directory.Exists(_folder[$"{folder}/work"]));
            }
        }

        Assert.True(words.Count >= 3, string.Join(", ", words));
    }

    [Fact]
    public void What_a_kill_left_damaged_is_read_again()
    {
        var path = WriteLines("a.jsonl", Texts(300, "first"));
        PreparationOptions Small(PreparationOptions options) => options with { ShardTextBytes = 24 << 10 };
        var whole = Prepare("whole", [path], Small);
        Assert.Throws<OperationCanceledException>(() => Prepare("cut", [path], Small, new Steps(what =>
        {
            if (what.StartsWith("training", StringComparison.Ordinal))
            {
                throw new OperationCanceledException();
            }
        })));
        var block = Directory.EnumerateFiles(_folder["cut/work"], "*.texts").Order().ElementAt(1);
        var bytes = File.ReadAllBytes(block);
        bytes[^1] ^= 1;
        File.WriteAllBytes(block, bytes);
        Assert.Equal(whole, Prepare("cut", [path], Small));
    }

    [Fact]
    public void What_was_said_before_is_left_out_and_counted()
    {
        var first = "The traveller crosses the old bridge over the river, and counts the stones of the cairn on the hill before the night comes down upon the path again, " +
            "as he has done in every year since the first snow of that winter.";
        var shouted = first.ToUpperInvariant().Replace(",", " --", StringComparison.Ordinal);
        var near = first.Replace("winter", "autumn", StringComparison.Ordinal);
        var other = "A validator weighs what peers have sent, looks at the loss of text that nobody was given, and says so on the ledger for everybody to read.";
        var path = WriteLines("a.jsonl", [first, other, shouted, near, first, .. Texts(60, "rest")]);
        var rest = new HashSet<string>(Texts(60, "rest").Select(text => text.ToUpperInvariant())).Count;

        Assert.Equal((0, 0), Lost(Duplicates.Kept));
        Assert.Equal((2 + 60 - rest, 0), Lost(Duplicates.Exact));
        Assert.True(Lost(Duplicates.Near).Near >= 1);

        (long Exact, long Near) Lost(Duplicates duplicates)
        {
            Prepare(duplicates.ToString(), [path], options => options with { Duplicates = duplicates });
            var losses = Card(duplicates.ToString()).Sources[0].Losses;
            return (losses.FirstOrDefault(loss => loss.Why == "exact")?.Documents ?? 0, losses.FirstOrDefault(loss => loss.Why == "near")?.Documents ?? 0);
        }
    }

    [Theory]
    [InlineData(0.95, 0.98, 1.0)]
    [InlineData(0.8, 0.8, 0.99)]
    [InlineData(0.5, 0.0, 0.15)]
    [InlineData(0.1, 0.0, 0.0)]
    public void Near_documents_are_found_as_often_as_the_bands_say(double shared, double least, double most)
    {
        var random = new SeededRandom(5, "near");
        var found = 0;
        const int Pairs = 300;
        for (var pair = 0; pair < Pairs; pair++)
        {
            // Of 200 runs in all, so many are in both.
            var runs = Enumerable.Range(0, 200).Select(_ => (uint)random.NextBelow(int.MaxValue)).ToArray();
            var both = (int)(200 * shared);
            var own = (200 - both) / 2;
            var (a, b) = (new ulong[MinHash.Bands], new ulong[MinHash.Bands]);
            MinHash.Sign(runs.AsSpan(0, both + own), a);
            MinHash.Sign((uint[])[.. runs[..both], .. runs[(both + own)..]], b);
            found += a.Zip(b).Any(band => band.First == band.Second) ? 1 : 0;
        }

        Assert.InRange((double)found / Pairs, least, most);
    }

    [Fact]
    public void A_filter_counts_what_it_leaves_out_by_rule()
    {
        var good = Texts(40, "good");
        var path = WriteLines("a.jsonl",
        [
            .. good, "too short", string.Concat(Enumerable.Repeat("{}[]=<> ;;; ### ", 20)) + string.Join(" ", Enumerable.Repeat("words here", 12)),
            string.Join(" ", Enumerable.Repeat("the same five words again", 30)), string.Join(" ", Enumerable.Range(0, 60).Select(i => (char)('a' + (i % 26)))),
        ]);
        Prepare("filtered", [path], options => options with { Filter = new TextFilter() });
        var source = Card("filtered").Sources[0];
        Assert.Equal((good.Count + 4, good.Count), (source.Read, source.Kept));
        Assert.Equal(["short", "words", "symbols", "repetition"], source.Losses.Select(loss => loss.Why));
        Assert.All(source.Losses, loss => Assert.Equal(1, loss.Documents));
        Assert.Contains("| a.jsonl | symbols | 1 |", File.ReadAllText(_folder["filtered/CARD.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_mix_takes_of_each_source_by_its_weight_and_nothing_twice()
    {
        var (many, few) = (WriteLines("many.jsonl", Texts(3000, "many")), WriteLines("few.jsonl", Texts(800, "few")));
        Prepare("mix", [], options => options with { Sources = [new(many, 0.6), new(few, 0.4)] });
        var card = Card("mix");
        Assert.InRange(card.Sources[0].Part, 0.55, 0.65);
        Assert.Equal(1, card.Sources[1].Taken);
        Assert.True(card.Sources[0].Taken < 1);
        Assert.Equal(card.Sources.Sum(source => source.TakenDocuments), card.TrainDocuments + card.HeldOutDocuments);
    }

    [Fact]
    public void A_run_takes_a_prepared_set_as_it_is()
    {
        var digest = Prepare("set", [WriteLines("a.jsonl", Texts(200, "set"))]);
        using var taken = DataSet.Prepare(new DataSetOptions { Corpus = new CorpusOptions { Paths = [_folder["set"]] } }, _folder["run"]);
        Assert.Equal((digest, _folder["run"]), (taken.Digest, taken.Folder));
        using var again = DataSet.Prepare(new DataSetOptions { Corpus = new CorpusOptions { Paths = [_folder["set"]] } }, _folder["run"]);
        Assert.Equal(digest, again.Digest);
    }

    [Fact]
    public void Memory_for_what_was_said_is_fixed_and_its_loss_is_told()
    {
        var seen = new SeenFilter(1 << 16);
        for (var i = 0UL; i < 100_000; i++)
        {
            seen.Add(i);
        }

        Assert.True(seen.Contains(77));
        var wrong = Enumerable.Range(0, 20_000).Count(i => seen.Contains(1_000_000 + (ulong)i)) / 20_000.0;
        Assert.InRange(wrong, 0.8 * seen.FalsePart, 1.2 * seen.FalsePart);
    }

    [Theory]
    [InlineData("a.txt", "zero \0 byte")]
    [InlineData("a.jsonl", "{\"text\": 3}\n")]
    [InlineData("a.jsonl.gz", "no gzip")]
    [InlineData("a.jsonl.zst", "no zstandard")]
    [InlineData("a.parquet", "PAR1 is no Parquet file PAR1")]
    public void What_is_no_text_is_refused_by_name(string name, string content)
    {
        var path = _folder.Write(name, content);
        Assert.Contains(name, Assert.Throws<InputException>(() => Prepare("none", [path])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.jsonl.gz")]
    [InlineData("a.jsonl.zst")]
    public void A_packed_file_that_was_cut_off_is_refused(string name)
    {
        var lines = File.ReadAllBytes(WriteLines("lines.jsonl", Texts(500, "cut")));
        using var packed = new MemoryStream();
        using (Stream stream = name.EndsWith("gz", StringComparison.Ordinal) ? new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true) : new ZstdSharp.CompressionStream(packed))
        {
            stream.Write(lines);
        }

        var path = _folder.Write(name, packed.ToArray()[..^40]);
        Assert.Contains(name, Assert.Throws<InputException>(() => Prepare("none", [path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gzip_is_read_to_the_end_of_its_last_member_or_refused()
    {
        byte[] text = Encoding.UTF8.GetBytes(string.Join("\n", Texts(300, "gzip")));
        var (first, second) = (Gzipped(text), Gzipped(text[..1000]));
        Assert.Equal([.. text, .. text[..1000]], Unpack([.. first, .. second]));
        Assert.Empty(Unpack(Gzipped([])));
        foreach (var length in Enumerable.Range(1, 30).Concat([first.Length / 3, first.Length / 2]).Select(cut => first.Length - cut).Append(first.Length + 10))
        {
            Assert.Throws<InvalidDataException>(() => Unpack(((byte[])[.. first, .. second])[..length]));
        }

        Assert.Throws<InvalidDataException>(() => Unpack([.. first, .. "what is no gzip"u8]));
        var path = _folder.Write("cut.txt.gz", first[..(first.Length / 2)]);
        Assert.Contains("cut.txt.gz", Assert.Throws<InputException>(() => Prepare("none", [path])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_are_read_alike_wherever_the_window_ends_and_after_a_very_long_one()
    {
        string[] texts = [new string('a', 3 << 20), .. Enumerable.Range(0, 40_000).Select(i => $"line {i} of the file"), new string('b', 1 << 20), "the last"];
        var lines = string.Concat(texts.Select(text => $"{{\"text\":\"{text}\"}}\n"));
        Assert.Equal(texts, SourceFiles.Read(_folder.Write("long.jsonl", lines), "text").Select(text => Encoding.UTF8.GetString(text.Span)));
        Assert.Equal(texts, SourceFiles.Read(_folder.Write("open.jsonl", lines[..^1]), "text").Select(text => Encoding.UTF8.GetString(text.Span)));
    }

    [Fact]
    public void Rows_that_share_a_text_do_not_share_memory_out()
    {
        var texts = Enumerable.Repeat(new string('x', 100_000), 10_000).ToArray();
        var path = WriteParquet("shared.parquet", texts, groups: 1);
        Assert.InRange(new FileInfo(path).Length, 1, 1 << 20);
        var read = 0;
        long most = 0;
        foreach (var text in SourceFiles.Read(path, "text"))
        {
            Assert.Equal(100_000, text.Length);
            most = read++ % 1000 == 0 ? Math.Max(most, GC.GetTotalMemory(forceFullCollection: true)) : most;
        }

        // As strings of their own they would take 2 GB.
        Assert.Equal((texts.Length, true), (read, most < 1 << 28));
    }

    [Fact]
    public void Rows_without_a_text_are_left_out()
    {
        string?[] texts = [null, "one", "", null, "two", "two", null];
        Assert.Equal(["one", "two", "two"], SourceFiles.Read(WriteParquet("holes.parquet", texts!, groups: 2), "text").Select(text => Encoding.UTF8.GetString(text.Span)));
    }

    [Fact]
    public void What_a_kill_left_behind_is_taken_away_or_made_again()
    {
        var path = WriteLines("a.jsonl", Texts(200, "left"));
        var digest = Prepare("set", [path]);
        var work = Path.Combine(_folder["set"], "work");
        Directory.CreateDirectory(work);
        File.WriteAllText(Path.Combine(work, "block"), "text");
        Assert.Equal(digest, Prepare("set", [path]));
        Assert.False(Directory.Exists(work));
        var options = new DataSetOptions { Corpus = new CorpusOptions { Paths = [_folder["set"]] } };
        DataSet.Prepare(options, _folder["taken"]).Dispose();
        File.WriteAllText(Path.Combine(_folder["taken"], "manifest.json"), "{\"vers");
        using var again = DataSet.Prepare(options, _folder["taken"]);
        Assert.Equal(digest, again.Digest);
    }

    [Fact]
    public void Bytes_that_are_no_characters_are_refused()
    {
        var path = _folder.Write("a.txt", Enumerable.Repeat((byte)0x80, 600_000).ToArray());
        Assert.Throws<InputException>(() => Prepare("none", [path]));
    }

    [Fact]
    public void Damaged_Parquet_files_are_read_or_refused()
    {
        var original = File.ReadAllBytes(WriteParquet("good.parquet", Texts(50, "hostile"), groups: 2));
        var random = new SeededRandom(12, "parquet");
        var refused = 0;
        for (var i = 0; i < 400; i++)
        {
            var bytes = original.ToArray();
            for (var changes = 1 + random.NextBelow(4); changes > 0; changes--)
            {
                // Half of them in the footer, where sizes and places stand.
                var at = random.NextBelow(2) == 0 ? random.NextBelow(bytes.Length) : bytes.Length - 1 - random.NextBelow(400);
                bytes[at] = (byte)random.NextBelow(256);
            }

            try
            {
                Assert.All(SourceFiles.Read(_folder.Write("bad.parquet", bytes), "text"), text => Assert.True(System.Text.Unicode.Utf8.IsValid(text.Span)));
            }
            catch (InputException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 100, 400);
    }

    [Fact]
    public void Who_takes_text_whole_says_what_to_do_with_packed_files() =>
        Assert.Contains(
            "cairn data prepare",
            Assert.Throws<InputException>(() => Corpus.Load(new CorpusOptions { Paths = [_folder.Write("a.jsonl.gz", "x")] })).Message, StringComparison.Ordinal);

    [Fact]
    public void A_column_that_is_not_there_is_refused_with_those_that_are()
    {
        var path = WriteParquet("a.parquet", Texts(5, "columns"), groups: 1);
        Assert.Contains("text", Assert.Throws<InputException>(() => Prepare("none", [path], options => options with { TextField = "body" })).Message, StringComparison.Ordinal);
    }

    private Digest Prepare(string name, string[] paths, Func<PreparationOptions, PreparationOptions>? change = null, IProgress<string>? progress = null)
    {
        var options = new PreparationOptions { Sources = [.. paths.Select(path => new WeightedSource(path, null))], VocabularySize = 300, DuplicateBytes = 8 << 20, Threads = 2 };
        using var data = DataPreparation.Run(change?.Invoke(options) ?? options, _folder[name], progress);
        return data.Digest;
    }

    private DataCard Card(string name) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(_folder[$"{name}/card.json"]), PreparationJson.Default.DataCard)!;

    private static List<string> Texts(int count, string purpose)
    {
        var random = new SeededRandom(3, purpose);
        var texts = new List<string>();
        for (var i = 0; i < count; i++)
        {
            texts.Add(string.Join(" ", Enumerable.Range(0, 6).Select(_ => TestText.Sentence(ref random))) + $" {purpose} {i}.");
        }

        return texts;
    }

    private string WriteLines(string name, IReadOnlyList<string> texts) =>
        _folder.Write(name, string.Concat(texts.Select(text => $"{{\"id\":1,\"text\":{JsonSerializer.Serialize(text)}}}\n")));

    private static byte[] Gzipped(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var stream = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(bytes);
        }

        return packed.ToArray();
    }

    private static byte[] Unpack(byte[] packed)
    {
        using var stream = new WholeGzip(new MemoryStream(packed));
        using var unpacked = new MemoryStream();
        stream.CopyTo(unpacked, 777);
        return unpacked.ToArray();
    }

    private string WriteParquet(string name, IReadOnlyList<string> texts, int groups)
    {
        var (text, id) = (new DataField<string>("text"), new DataField<long>("id"));
        using var file = File.Create(_folder[name]);
        WriteAsync().GetAwaiter().GetResult();
        return _folder[name];

        async Task WriteAsync()
        {
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(text, id), file, new ParquetOptions { DictionaryEncodingThreshold = 1, ColumnEncodingHints = { ["text"] = EncodingHint.Dictionary } });
            foreach (var part in texts.Chunk((texts.Count + groups - 1) / groups))
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync(text, part);
                await group.WriteAsync<long>(id, Enumerable.Range(0, part.Length).Select(i => (long)i).ToArray());
                group.CompleteValidate();
            }
        }
    }

    private sealed class Steps(Action<string> hear) : IProgress<string>
    {
        public void Report(string value) => hear(value);
    }
}
