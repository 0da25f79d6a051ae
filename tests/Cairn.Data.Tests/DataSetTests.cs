using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class DataSetTests
{
    [Fact]
    public void A_prepared_folder_holds_what_training_needs()
    {
        using var folder = new TestFolder();
        using var data = Prepare(folder);
        Assert.Equal(data.Tokenizer.Digest, data.Manifest.Tokenizer);
        Assert.Equal(data.SampleCount(32), data.Train[0].SampleCount(32));
        Assert.True(data.HeldOut.SampleCount(32) > 0);
        Assert.Equal((double)data.HeldOut.TextBytes / data.HeldOut.Tokens, data.Manifest.BytesPerToken);
        using var again = DataSet.Open(folder["data"]);
        Assert.Equal(data.Digest, again.Digest);
        var (a, b, c, d) = (new int[32], new int[32], new int[32], new int[32]);
        data.CopySample(3, 32, a, b);
        again.CopySample(3, 32, c, d);
        Assert.Equal(a, c);
        Assert.Equal(b, d);
        Assert.Equal(a[1..], b[..^1]);
    }

    [Fact]
    public void Bytes_of_held_out_samples_add_up_to_the_text()
    {
        using var folder = new TestFolder();
        using var data = Prepare(folder);
        var (bytes, tokens) = (0L, data.HeldOut.SampleCount(16) * 16);
        for (var sample = 0L; sample < data.HeldOut.SampleCount(16); sample++)
        {
            bytes += data.HeldOutBytes(sample, 16);
        }

        var ids = new int[tokens];
        data.HeldOut.CopyTokens(1, ids);
        Assert.Equal(data.Tokenizer.Decode(ids).Length, bytes);
    }

    [Fact]
    public void Preparing_again_reuses_and_another_choice_makes_anew()
    {
        using var folder = new TestFolder();
        Digest first;
        using (var data = Prepare(folder))
        {
            first = data.Digest;
        }

        var written = File.GetLastWriteTimeUtc(folder["data/train-00000.tokens"]);
        var heard = new List<string>();
        using (var data = Prepare(folder, progress: heard))
        {
            Assert.Equal(first, data.Digest);
        }

        Assert.Single(heard);
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder["data/train-00000.tokens"]));
        using (var data = Prepare(folder, vocabularySize: 280))
        {
            Assert.NotEqual(first, data.Digest);
            Assert.Equal(280, data.Tokenizer.VocabularySize);
        }
    }

    [Fact]
    public void Samples_run_on_from_shard_to_shard_and_span_none()
    {
        using var folder = new TestFolder();
        folder.Write("text/r.jsonl", Records(500));
        var options = new DataSetOptions { Corpus = new CorpusOptions { Paths = [folder["text"]] }, VocabularySize = 300, ShardTextBytes = 5000 };
        using var data = DataSet.Prepare(options, folder["data"]);
        Assert.InRange(data.Train.Count, 3, 20);
        Assert.Equal(data.Train.Sum(shard => shard.SampleCount(32)), data.SampleCount(32));
        var first = data.Train[0].SampleCount(32);
        var (a, b, c, d) = (new int[32], new int[32], new int[32], new int[32]);
        data.CopySample(first, 32, a, b);
        data.Train[1].CopySample(0, 32, c, d);
        Assert.Equal(c, a);
        Assert.Equal(d, b);
        data.CopySample(data.SampleCount(32) - 1, 32, a, b);
        data.Train[^1].CopySample(data.Train[^1].SampleCount(32) - 1, 32, c, d);
        Assert.Equal(c, a);
        Assert.Throws<InvariantViolation>(() => data.CopySample(data.SampleCount(32), 32, a, b));
    }

    [Fact]
    public void A_damaged_shard_is_refused_by_open_and_mended_by_prepare()
    {
        using var folder = new TestFolder();
        Digest digest;
        using (var data = Prepare(folder))
        {
            digest = data.Digest;
        }

        var bytes = File.ReadAllBytes(folder["data/train-00000.tokens"]);
        bytes[200] ^= 1;
        folder.Write("data/train-00000.tokens", bytes);
        Assert.Contains("train-00000.tokens", Assert.Throws<InputException>(() => DataSet.Open(folder["data"])).Message, StringComparison.Ordinal);
        using var mended = Prepare(folder);
        Assert.Equal(digest, mended.Digest);
    }

    [Fact]
    public void An_interrupted_preparation_goes_on_with_what_is_complete()
    {
        using var folder = new TestFolder();
        Digest digest;
        DataManifest manifest;
        using (var data = Prepare(folder))
        {
            (digest, manifest) = (data.Digest, data.Manifest);
        }

        // As if killed after the first shard: no manifest, no held-out shard, half of a file being written.
        File.Delete(folder["data/manifest.json"]);
        File.Delete(folder["data/held-out.tokens"]);
        folder.Write("data/.held-out.tokens.1.1.tmp", "half");
        folder.Write("data/preparing", $"{manifest.Key}\n{manifest.Corpus}\n{manifest.Tokenizer}\n");
        var written = File.GetLastWriteTimeUtc(folder["data/train-00000.tokens"]);
        var heard = new List<string>();
        using var resumed = Prepare(folder, progress: heard);
        Assert.Equal(digest, resumed.Digest);
        Assert.Equal(written, File.GetLastWriteTimeUtc(folder["data/train-00000.tokens"]));
        Assert.DoesNotContain(heard, line => line.Contains("vocabulary", StringComparison.Ordinal));
        Assert.False(File.Exists(folder["data/preparing"]));
    }

    [Fact]
    public void A_given_tokenizer_is_used()
    {
        using var folder = new TestFolder();
        var tokenizer = BpeTrainer.Train(TestText.Corpus(), 300);
        using (var stream = File.Create(folder["given.json"]))
        {
            tokenizer.Save(stream);
        }

        var source = folder.Write("text/r.jsonl", Records(500));
        using var data = DataSet.Prepare(new DataSetOptions { Corpus = new CorpusOptions { Paths = [source] }, TokenizerPath = folder["given.json"] }, folder["data"]);
        Assert.Equal(tokenizer.Digest, data.Tokenizer.Digest);
    }

    [Theory]
    [InlineData("manifest.json", "{}")]
    [InlineData("manifest.json", "not json")]
    [InlineData("manifest.json", "{\"version\":1,\"train\":[{}]}")]
    [InlineData("tokenizer.json", "{}")]
    public void A_damaged_folder_is_refused_in_one_sentence(string file, string content)
    {
        using var folder = new TestFolder();
        Prepare(folder).Dispose();
        folder.Write("data/" + file, content);
        Assert.Contains(file, Assert.Throws<InputException>(() => DataSet.Open(folder["data"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_with_any_byte_changed_never_crashes()
    {
        using var folder = new TestFolder();
        Prepare(folder).Dispose();
        var good = File.ReadAllBytes(folder["data/manifest.json"]);
        var random = new SeededRandom(61, "manifest");
        for (var round = 0; round < 300; round++)
        {
            var bytes = good[..(round % 5 == 0 ? random.NextBelow(good.Length) : good.Length)];
            if (bytes.Length > 0)
            {
                bytes[random.NextBelow(bytes.Length)] = (byte)random.NextBelow(256);
            }

            try
            {
                _ = DataManifest.Load(folder.Write("m.json", bytes)).Digest;
            }
            catch (InputException e)
            {
                Assert.Contains("m.json", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void An_empty_folder_says_how_to_fill_it()
    {
        using var folder = new TestFolder();
        Assert.Contains("cairn data prepare", Assert.Throws<InputException>(() => DataSet.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static DataSet Prepare(TestFolder folder, int vocabularySize = 300, List<string>? progress = null)
    {
        if (!File.Exists(folder["text/r.jsonl"]))
        {
            folder.Write("text/r.jsonl", Records(500));
        }

        var options = new DataSetOptions { Corpus = new CorpusOptions { Paths = [folder["text"]] }, VocabularySize = vocabularySize };
        return DataSet.Prepare(options, folder["data"], progress is null ? null : new Listener(progress));
    }

    private static string Records(int count)
    {
        var random = new SeededRandom(71, "records");
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            text.Append("{\"text\":\"").Append(TestText.Sentence(ref random).Replace("\"", "\\\"", StringComparison.Ordinal)).Append(" No. ").Append(i).Append("\"}\n");
        }

        return text.ToString();
    }

    private sealed class Listener(List<string> heard) : IProgress<string>
    {
        public void Report(string value) => heard.Add(value);
    }
}
