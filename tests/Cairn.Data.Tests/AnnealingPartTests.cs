using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Base;

namespace Cairn.Data.Tests;

/// <summary>A data set of two parts: one for most of a run, one for its end.</summary>
public sealed partial class AnnealingPartTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_annealing_mix_becomes_the_last_shards_and_manifest_and_card_say_so()
    {
        var (web, books, maths) = (Lines("web.jsonl", 600), Lines("books.jsonl", 300), Lines("maths.jsonl", 200));
        using var data = Prepare("two", [new(web, 0.5), new(books, 0.5)], [new(maths, 0.6), new(books, 0.4)]);
        var (manifest, card) = (data.Manifest, Card("two"));
        Assert.InRange(manifest.AnnealShards, 2, manifest.Train.Count - 2);
        Assert.Equal(manifest.Train, manifest.Main.Concat(manifest.Anneal));
        Assert.Equal(manifest.Anneal.Sum(shard => shard.Tokens), card.Anneal!.Tokens);
        Assert.Equal((manifest.AnnealShards, manifest.TrainTokens), (card.Anneal.Shards, card.TrainTokens));
        Assert.Equal(["web.jsonl", "books.jsonl"], card.Sources.Select(source => source.Name));
        Assert.Equal(["maths.jsonl", "books.jsonl"], card.Anneal.Sources.Select(source => source.Name));
        Assert.InRange(card.Anneal.Sources[0].Part, 0.5, 0.7);
        Assert.Equal(1, card.Anneal.Sources.Sum(source => source.Part), 9);
        Assert.Equal(1, card.Sources.Sum(source => source.Part), 9);

        // Samples of the annealing part are the last ones.
        var first = data.SampleCount(32) - data.AnnealSampleCount(32);
        Assert.Equal(data.Train.SkipLast(manifest.AnnealShards).Sum(shard => shard.SampleCount(32)), first);
        var (a, b, c, d) = (new int[32], new int[32], new int[32], new int[32]);
        data.CopySample(first, 32, a, b);
        data.Train[^manifest.AnnealShards].CopySample(0, 32, c, d);
        Assert.Equal(c, a);
        Assert.Equal(d, b);

        var page = File.ReadAllText(_folder["two/CARD.md"]);
        Assert.Contains("## Sources of the annealing part\n", page, StringComparison.Ordinal);
        Assert.Contains($"in the last {manifest.AnnealShards} of {manifest.Train.Count} shards", page, StringComparison.Ordinal);
        Assert.Equal(manifest.AnnealShards, Regex.Count(page, @"shard \d+ \(annealing\)"));
        Assert.Contains($"\"annealShards\": {manifest.AnnealShards}", File.ReadAllText(_folder["two/manifest.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public void What_both_parts_say_is_held_out_of_both_and_once()
    {
        var books = Lines("books.jsonl", 500);
        using var data = Prepare("both", [new(Lines("web.jsonl", 200), null), new(books, null)], [new(books, null), new(Lines("maths.jsonl", 200), null)]);
        var (main, annealing) = (Said(data, data.Train.SkipLast(data.Manifest.AnnealShards)), Said(data, data.Train.TakeLast(data.Manifest.AnnealShards)));
        var heldOut = Said(data, [data.HeldOut]);
        Assert.Equal(heldOut.Count, heldOut.Distinct().Count());
        Assert.Empty(heldOut.Intersect(main.Concat(annealing)));
        Assert.Contains(heldOut, text => text.StartsWith("books", StringComparison.Ordinal));
        Assert.Contains(heldOut, text => text.StartsWith("maths", StringComparison.Ordinal));
        Assert.Equal(500, annealing.Concat(heldOut).Count(text => text.StartsWith("books", StringComparison.Ordinal)));
        Assert.Equal(500, main.Concat(heldOut).Count(text => text.StartsWith("books", StringComparison.Ordinal)));
        Assert.DoesNotContain(main, text => text.StartsWith("maths", StringComparison.Ordinal));
    }

    [Fact]
    public void Each_part_leaves_out_what_it_says_twice_itself_and_not_what_the_other_says()
    {
        var books = Lines("books.jsonl", 300);
        using var data = Prepare("once", [new(books, null)], [new(books, null), new(books, null)], options => options with { Duplicates = Duplicates.Exact });
        var card = Card("once");
        Assert.Empty(card.Sources[0].Losses);
        Assert.Equal([0, 300], card.Anneal!.Sources.Select(source => source.Losses.Sum(loss => loss.Documents)));
        Assert.Contains("Each part is looked at by itself.", File.ReadAllText(_folder["once/CARD.md"]), StringComparison.Ordinal);
        Assert.Contains("| books.jsonl (annealing) | exact | 300 |", File.ReadAllText(_folder["once/CARD.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Killed_at_any_step_the_same_command_gives_the_same_bytes()
    {
        var (web, maths) = (Lines("web.jsonl", 200), Lines("maths.jsonl", 150));
        Digest whole;
        using (var data = Kill("whole", int.MaxValue))
        {
            whole = data.Digest;
        }

        for (var killed = 1; ; killed++)
        {
            try
            {
                Kill($"killed-{killed}", killed).Dispose();
                Assert.True(killed > 5);
                break;
            }
            catch (OperationCanceledException)
            {
                using var again = Kill($"killed-{killed}", int.MaxValue);
                Assert.Equal(whole, again.Digest);
                Assert.Equal(File.ReadAllBytes(_folder["whole/card.json"]), File.ReadAllBytes(_folder[$"killed-{killed}/card.json"]));
            }
        }

        DataSet Kill(string name, int left) => Prepare(
            name, [new(web, null)], [new(maths, null), new(web, null)], options => options with { Duplicates = Duplicates.Near, DuplicateBytes = 1 << 20 },
            new Steps(() => left-- == 1 ? throw new OperationCanceledException() : 0));
    }

    [Fact]
    public void The_same_shards_are_another_set_where_others_of_them_are_for_the_end()
    {
        using var data = Prepare("set", [new(Lines("web.jsonl", 300), null)], [new(Lines("maths.jsonl", 300), null)]);
        var manifest = data.Manifest;
        Assert.Equal(manifest.Train.Count, Enumerable.Range(0, manifest.Train.Count).Select(count => (manifest with { AnnealShards = count }).Digest).Distinct().Count());
    }

    [Fact]
    public void A_mix_that_is_none_is_refused_and_says_which()
    {
        var (web, maths) = (Lines("web.jsonl", 60), Lines("maths.jsonl", 60));
        Assert.Contains("an annealing mix", Refused([new(web, 1)], [new(maths, 1), new(web, null)]), StringComparison.Ordinal);
        Assert.Contains("an annealing mix", Refused([new(web, 1)], [new(maths, double.NaN)]), StringComparison.Ordinal);
        Assert.StartsWith("a mix", Refused([], [new(maths, 1)]), StringComparison.Ordinal);
        Assert.Contains("--anneal-mix", Refused([new(web, 1)], [new(_folder.Write("short.jsonl", "{\"text\":\"no\"}\n"), 1)], new TextFilter()), StringComparison.Ordinal);

        string Refused(WeightedSource[] main, WeightedSource[] anneal, TextFilter? filter = null) =>
            Assert.Throws<InputException>(() => Prepare("none", main, anneal, options => options with { Filter = filter })).Message;
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("{all}")]
    [InlineData("{more}")]
    [InlineData("1.5")]
    [InlineData("\"1\"")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("4294967297")]
    public void A_manifest_with_a_count_that_cannot_be_is_refused(string count)
    {
        using var data = Prepare("set", [new(Lines("web.jsonl", 100), null)], [new(Lines("maths.jsonl", 100), null)]);
        var (path, shards) = (_folder["set/manifest.json"], data.Manifest.Train.Count);
        count = count.Replace("{all}", $"{shards}", StringComparison.Ordinal).Replace("{more}", $"{shards + 1}", StringComparison.Ordinal);
        var hostile = File.ReadAllText(path).Replace($"\"annealShards\": {data.Manifest.AnnealShards}", $"\"annealShards\": {count}", StringComparison.Ordinal);
        Assert.DoesNotContain('\n', Assert.Throws<InputException>(() => DataManifest.Load(_folder.Write("hostile.json", hostile))).Message);
    }

    [Fact]
    public void A_manifest_with_sums_beyond_all_numbers_is_refused()
    {
        using var data = Prepare("set", [new(Lines("web.jsonl", 100), null)], [new(Lines("maths.jsonl", 100), null)]);
        var text = File.ReadAllText(_folder["set/manifest.json"]);
        var tokens = data.Manifest.Train[0].Tokens;
        foreach (var hostile in new[] { long.MaxValue, -1, long.MinValue })
        {
            var path = _folder.Write("hostile.json", text.Replace($"\"tokens\": {tokens}", $"\"tokens\": {hostile}", StringComparison.Ordinal));
            Assert.Contains("'tokens'", Assert.Throws<InputException>(() => DataManifest.Load(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Damaged_manifests_are_read_or_refused()
    {
        using var data = Prepare("set", [new(Lines("web.jsonl", 100), null)], [new(Lines("maths.jsonl", 100), null)]);
        var (original, random, refused) = (File.ReadAllBytes(_folder["set/manifest.json"]), new SeededRandom(5, "manifest"), 0);
        for (var i = 0; i < 2000; i++)
        {
            var bytes = original.ToArray();
            for (var changes = 1 + random.NextBelow(3); changes > 0; changes--)
            {
                bytes[random.NextBelow(bytes.Length)] = (byte)random.NextBelow(256);
            }

            try
            {
                var read = DataManifest.Load(_folder.Write("hostile.json", bytes));
                Assert.InRange(read.AnnealShards, 0, read.Train.Count - 1);
                Assert.True(read.TrainTokens >= 0 && read.Digest != default);
            }
            catch (InputException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 500, 2000);
    }

    private DataSet Prepare(
        string name, WeightedSource[] main, WeightedSource[] anneal, Func<PreparationOptions, PreparationOptions>? change = null, IProgress<string>? progress = null)
    {
        var options = new PreparationOptions
        {
            Sources = main,
            AnnealSources = anneal,
            VocabularySize = 300,
            HeldOutPart = 0.1,
            ShardTextBytes = 16 << 10,
            DuplicateBytes = 8 << 20,
            Threads = 2,
        };
        return DataPreparation.Run(change?.Invoke(options) ?? options, _folder[name], progress);
    }

    private DataCard Card(string name) =>
        JsonSerializer.Deserialize(File.ReadAllBytes(_folder[$"{name}/card.json"]), PreparationJson.Default.DataCard)!;

    // Each text ends with what it is: file and number.
    private static List<string> Said(DataSet data, IEnumerable<TokenShard> shards) => [.. shards.SelectMany(shard =>
    {
        var ids = new int[shard.Tokens];
        shard.CopyTokens(0, ids);
        return NameOf().Matches(Encoding.UTF8.GetString(data.Tokenizer.Decode(ids))).Select(match => match.Value);
    })];

    [GeneratedRegex(@"(web|books|maths)\.jsonl \d+")]
    private static partial Regex NameOf();

    private string Lines(string name, int count)
    {
        var random = new SeededRandom(3, name);
        var lines = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            var text = string.Join(" ", Enumerable.Range(0, 4).Select(_ => TestText.Sentence(ref random))) + $" {name} {i}.";
            lines.Append($"{{\"text\":{JsonSerializer.Serialize(text)}}}\n");
        }

        return _folder.Write(name, lines.ToString());
    }

    private sealed class Steps(Func<int> hear) : IProgress<string>
    {
        public void Report(string value) => hear();
    }
}
