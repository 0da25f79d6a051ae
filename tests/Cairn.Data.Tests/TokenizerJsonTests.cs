using System.Text;
using System.Text.Json.Nodes;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class TokenizerJsonTests
{
    private static readonly Tokenizer Small = BpeTrainer.Train(TestText.Corpus(), 320, [Tokenizer.EndOfText, "<|user|>"]);
    private static readonly byte[] File = Bytes(Small);

    [Fact]
    public void A_saved_tokenizer_is_read_back_and_saved_with_the_same_bytes()
    {
        var read = TokenizerJson.Parse("t.json", File);
        Assert.Equal(Small.Digest, read.Digest);
        Assert.Equal(Small.EosId, read.EosId);
        Assert.Equal(257, read.SpecialId("<|user|>"));
        Assert.Equal(File, Bytes(read));
        Assert.Equal(Small.Encode("The cairn isn't here."), read.Encode("The cairn isn't here."));
    }

    [Fact]
    public void The_file_says_what_other_programs_need()
    {
        var root = JsonNode.Parse(File)!;
        Assert.Equal(PreTokenizer.Threes.Pattern, (string?)root["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"]);
        Assert.Equal("ByteLevel", (string?)root["pre_tokenizer"]!["pretokenizers"]![1]!["type"]);
        Assert.Equal("ByteLevel", (string?)root["decoder"]!["type"]);
        Assert.Equal("BPE", (string?)root["model"]!["type"]);
        Assert.Equal(320, root["model"]!["vocab"]!.AsObject().Count);
        Assert.Equal(256, (int)root["model"]!["vocab"]!["<|endoftext|>"]!);
        Assert.Equal(32, (int)root["model"]!["vocab"]!["Ġ"]!);
        Assert.Equal(10, (int)root["model"]!["vocab"]!["Ċ"]!);
        Assert.Equal(33, (int)root["model"]!["vocab"]!["!"]!);
        Assert.Equal("<|endoftext|>", (string?)root["added_tokens"]![0]!["content"]);
        var merges = root["model"]!["merges"]!.AsArray();
        Assert.Equal(62, merges.Count);
        Assert.Equal(2, ((string?)merges[0])!.Split(' ').Length);
    }

    [Fact]
    public void Merges_written_as_pairs_are_read_too()
    {
        var changed = Change(root =>
        {
            var merges = root["model"]!["merges"]!.AsArray();
            root["model"]!["merges"] = new JsonArray(
                [.. merges.Select(merge => (JsonNode)new JsonArray([.. ((string)merge!).Split(' ').Select(part => (JsonNode)part)]))]);
        });
        Assert.Equal(Small.Digest, TokenizerJson.Parse("t.json", changed).Digest);
    }

    [Fact]
    public void A_vocabulary_in_another_order_of_bytes_loses_nothing()
    {
        // As in GPT-2: printable bytes first, the end of text last and outside the vocab.
        var names = Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToText([(byte)value])).OrderByDescending(name => name, StringComparer.Ordinal).ToList();
        var changed = Change(root =>
        {
            root["model"]!["vocab"] = new JsonObject([.. names.Append("ab").Select((name, id) => KeyValuePair.Create(name, (JsonNode?)id))]);
            root["model"]!["merges"] = new JsonArray("a b");
            root["added_tokens"] = new JsonArray(new JsonObject { ["id"] = 257, ["content"] = "<|end_of_text|>", ["special"] = true });
        });
        var tokenizer = TokenizerJson.Parse("t.json", changed);
        Assert.Equal(257, tokenizer.EosId);
        Assert.Equal([256, names.IndexOf("c")], tokenizer.Encode("abc"));
        Assert.Equal("abc", tokenizer.DecodeText(tokenizer.Encode("abc")));
        Assert.Equal(Bytes(tokenizer), Bytes(TokenizerJson.Parse("t.json", Bytes(tokenizer))));
    }

    [Fact]
    public void Whole_words_come_before_merges_where_the_file_says_so()
    {
        var changed = Change(root =>
        {
            root["model"]!["ignore_merges"] = true;
            root["model"]!["vocab"]!["zzz"] = 320;
        });
        var tokenizer = TokenizerJson.Parse("t.json", changed);
        Assert.Equal([320], tokenizer.Encode("zzz"));
        Assert.Equal(4, tokenizer.Encode("zzzz").Length);
        Assert.NotEqual(Small.Digest, tokenizer.Digest);
    }

    [Theory]
    [InlineData("normalizer", """{"type":"NFKC"}""")]
    [InlineData("pre_tokenizer", "null")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[]}""")]
    [InlineData("added_tokens", "[]")]
    [InlineData("added_tokens", """[{"id":-1,"content":"<|endoftext|>"}]""")]
    [InlineData("added_tokens", """[{"id":256,"content":""}]""")]
    [InlineData("added_tokens", """[{"id":256,"content":"<|endoftext|>"},{"id":256,"content":"b"}]""")]
    [InlineData("added_tokens", """[{"id":5,"content":"<|endoftext|>"}]""")]
    [InlineData("model", "null")]
    [InlineData("model", """{"type":"Unigram"}""")]
    [InlineData("model", """{"type":"BPE","vocab":{},"merges":[]}""")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"a":1},"merges":[]}""")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":1e9},"merges":[]}""")]
    public void A_file_of_another_kind_is_refused_in_one_sentence(string property, string value)
    {
        var changed = Change(root => root[property] = JsonNode.Parse(value));
        var refusal = Assert.Throws<InputException>(() => TokenizerJson.Parse("some/t.json", changed));
        Assert.StartsWith("some/t.json", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qqq q")]
    [InlineData("a")]
    [InlineData("a b c")]
    [InlineData("")]
    public void A_merge_of_unknown_tokens_is_refused(string merge)
    {
        var changed = Change(root => root["model"]!["merges"]!.AsArray().Add((JsonNode)merge));
        Assert.Throws<InputException>(() => TokenizerJson.Parse("t.json", changed));
    }

    [Fact]
    public void Damaged_files_are_refused_or_lose_nothing()
    {
        var random = new SeededRandom(21, "json");
        for (var round = 0; round < 600; round++)
        {
            var bytes = File[..(round % 3 == 0 ? random.NextBelow(File.Length) : File.Length)];
            for (var damage = random.NextBelow(4); damage >= 0 && bytes.Length > 0; damage--)
            {
                bytes[random.NextBelow(bytes.Length)] = (byte)random.NextBelow(256);
            }

            try
            {
                var tokenizer = TokenizerJson.Parse("t.json", bytes);
                Assert.Equal("The cairn 12 \u0000é", tokenizer.DecodeText(tokenizer.Encode("The cairn 12 \u0000é")));
            }
            catch (InputException e)
            {
                Assert.StartsWith("t.json", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.Contains("absent.json", Assert.Throws<InputException>(() => Tokenizer.Load("absent.json")).Message, StringComparison.Ordinal);
        using var folder = new TestFolder();
        Assert.Throws<InputException>(() => Tokenizer.Load(folder.Path));
    }

    private static byte[] Change(Action<JsonNode> change)
    {
        var root = JsonNode.Parse(File)!;
        change(root);
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    private static byte[] Bytes(Tokenizer tokenizer)
    {
        using var stream = new MemoryStream();
        tokenizer.Save(stream);
        return stream.ToArray();
    }
}
