using System.Text;
using System.Text.Json.Nodes;
using Cairn.Base;

namespace Cairn.Data.Tests;

/// <summary>Files as the published families have them, small, against <see cref="SlowTokenizer"/>.</summary>
public sealed class FamilyTests
{
    private const string Alphabet = "etaoin srhldcu  ETA'’stremdlv.,!?_-<>|/s\t\n\r0123٣Ⅷ½éßñ漢日本語한ſ\u00a0\u2003\u3000\u0301\u0323\u200b\u0000👍";

    private static readonly string[] Texts =
    [
        "The cairn stands on the hill, isn't it?", "", " ", "   x", "x   ", "\n\n a\r\n\t b \n", "1234567 and 89", "e\u0301a\u0323\u0301 한국 \u1112\u1161\u11ab",
        "<|endoftext|>", "a<|im_start|>user\nhello<|im_end|>", "<s>the</s><s> and", "<tool>{}</tool><tool", "👍🏽 日本語 <0x0A> ▁x", "IT'S HE'LL we'Re 'tis", "\0\u0001",
    ];

    public static TheoryData<string> Families => ["gpt2", "llama3", "qwen2", "llama2", "llama2-metaspace", "gemma3"];

    [Theory]
    [MemberData(nameof(Families))]
    public void Ids_are_those_of_the_slow_reference(string family)
    {
        var file = File(family);
        var (fast, slow) = (Parse(file), new SlowTokenizer(file));
        var random = new SeededRandom(31, family);
        foreach (var text in Texts.Concat(Enumerable.Range(0, 1500).Select(_ => Random(ref random, 30))))
        {
            foreach (var special in new[] { false, true })
            {
                Assert.Equal(slow.Encode(text, special), fast.Encode(text, special));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Fuzzed_text_comes_back(string family)
    {
        var tokenizer = Parse(File(family));
        var random = new SeededRandom(32, family);
        for (var round = 0; round < 17_000; round++)
        {
            // What the formats themselves lose is left out: U+2581 in the families of characters, other forms than the composed one where text is composed.
            var text = round % 2 == 0 ? Random(ref random, 40).Replace("▁", "", StringComparison.Ordinal) : Wild(ref random, 20);
            text = tokenizer.Parts.Composes ? Encoding.UTF8.GetString(Composition.Compose(Encoding.UTF8.GetBytes(text))) : text;
            Assert.Equal(text, tokenizer.DecodeText(tokenizer.Encode(text)));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_file_that_is_written_again_does_the_same(string family)
    {
        var first = Parse(File(family));
        using var stream = new MemoryStream();
        first.Save(stream);
        var second = TokenizerJson.Parse("again.json", stream.ToArray());
        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(first.BosId, second.BosId);
        var slow = new SlowTokenizer(JsonNode.Parse(stream.ToArray())!);
        foreach (var text in Texts)
        {
            Assert.Equal(first.Encode(text, true), second.Encode(text, true));
            Assert.Equal(slow.Encode(text, true), second.Encode(text, true));
        }
    }

    [Fact]
    public void What_begins_a_text_and_added_tokens_are_known()
    {
        var llama = Parse(File("llama3"));
        Assert.Equal(llama.SpecialId("<|begin_of_text|>"), llama.BosId);
        var qwen = Parse(File("qwen2"));
        Assert.Null(qwen.BosId);
        var ids = qwen.Encode("a<tool>b<|im_start|>");
        Assert.Equal("a<tool>b<|im_start|>", qwen.DecodeText(ids));
        Assert.Single(ids, id => qwen.Parts.Kinds[id] == TokenKind.UserDefined);
        Assert.DoesNotContain(qwen.SpecialId("<|im_start|>"), ids);
        Assert.Equal("ab", qwen.DecodeText(qwen.Encode("a<|im_start|>b", allowSpecial: true)));
    }

    [Fact]
    public void Bytes_that_are_no_text_come_back_in_every_family_of_bytes_and_of_characters()
    {
        var random = new SeededRandom(33, "bytes");
        foreach (var tokenizer in new[] { "gpt2", "llama3", "llama2", "gemma3" }.Select(family => Parse(File(family))))
        {
            for (var round = 0; round < 500; round++)
            {
                var (bytes, ids) = (TestText.RandomBytes(ref random, 60), new List<int>());
                tokenizer.Encode(bytes, ids);
                Assert.Equal(bytes, tokenizer.Decode([.. ids]));
            }
        }
    }

    [Fact]
    public void Composition_has_the_golden_digest_of_every_character()
    {
        // Python's unicodedata, version 14: 'a', c, acute, c, dot below, dot above, c for every character c.
        using var all = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        for (var character = 0; character <= 0x10FFFF; character++)
        {
            if (Rune.IsValid(character))
            {
                var c = new Rune(character).ToString();
                all.AppendData(Composition.Compose(Encoding.UTF8.GetBytes($"a{c}\u0301{c}\u0323\u0307{c}")));
            }
        }

        Assert.Equal("3f10fe08a8f9d999b871c2deddc3c1cdf3e1e83322b6c79fcfd4bfda58adb875", Convert.ToHexStringLower(all.GetHashAndReset()));
    }

    [Theory]
    [InlineData("gpt2", "add_prefix_space")]
    [InlineData("llama2-metaspace", "split")]
    public void A_step_that_would_do_something_else_is_refused(string family, string option)
    {
        var file = File(family);
        file["pre_tokenizer"]![option] = true;
        Assert.Throws<InputException>(() => Parse(file));
    }

    [Theory]
    [InlineData("lstrip")]
    [InlineData("rstrip")]
    [InlineData("single_word")]
    public void An_added_token_that_looks_beside_itself_is_refused(string option)
    {
        var file = File("qwen2");
        file["added_tokens"]![0]![option] = true;
        Assert.Contains(option, Assert.Throws<InputException>(() => Parse(file)).Message, StringComparison.Ordinal);
    }

    internal static JsonNode File(string family) => family is "gpt2" or "llama3" or "qwen2" ? OfBytes(family) : OfCharacters(family);

    private static JsonObject OfBytes(string family)
    {
        var trained = BpeTrainer.Train(TestText.Corpus(), 380);
        using var stream = new MemoryStream();
        trained.Save(stream);
        var file = JsonNode.Parse(stream.ToArray())!.AsObject();
        file["added_tokens"] = Added(380, family == "qwen2" ? [("<|im_start|>", true), ("<|im_end|>", true), ("<tool>", false)] : [("<|begin_of_text|>", true)]);
        file["added_tokens"]!.AsArray().Add(new JsonObject { ["id"] = 256, ["content"] = "<|endoftext|>", ["special"] = true });
        if (family == "gpt2")
        {
            file["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true}""");
        }
        else if (family == "llama3")
        {
            file["model"]!["ignore_merges"] = true;
            file["model"]!["vocab"]!["Ġwhole"] = 381;
            file["post_processor"] = JsonNode.Parse("""
                {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
                 "single":[{"SpecialToken":{"id":"<|begin_of_text|>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]}]}
                """);
        }
        else
        {
            file["normalizer"] = JsonNode.Parse("""{"type":"NFC"}""");
            file["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = PreTokenizer.Ones.Pattern;
        }

        return file;
    }

    private static JsonObject OfCharacters(string family)
    {
        var (vocab, merges) = (new JsonObject(), new JsonArray());
        foreach (var name in (string[])["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. "▁etaoinsrhldcuTE.,'<>/日本é".Select(c => c.ToString())])
        {
            vocab[name] = vocab.Count;
        }

        foreach (var (left, right) in (ReadOnlySpan<(string, string)>)[("▁", "t"), ("h", "e"), ("▁t", "he"), ("i", "n"), ("o", "n"), ("e", "r"), ("a", "n"), ("an", "d"),
            ("▁", "▁"), ("▁▁", "▁▁"), ("▁", "s"), ("日", "本"), ("▁", "and"), ("t", "h"), ("th", "e"), ("s", "t"), ("<", "s"), ("a", "a"), ("aa", "aa")])
        {
            if (!vocab.ContainsKey(left + right))
            {
                vocab[left + right] = vocab.Count;
            }

            merges.Add(family == "gemma3" ? new JsonArray(left, right) : $"{left} {right}");
        }

        var added = Added(0, [("<unk>", true), ("<s>", true), ("</s>", true)]);
        if (family == "gemma3")
        {
            vocab["<tool>"] = vocab.Count;
            added.Add(new JsonObject { ["id"] = (int)vocab["<tool>"]!, ["content"] = "<tool>", ["special"] = false });
        }

        const string Replace = """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""";
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = family == "llama2" ? JsonNode.Parse($$"""{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{{Replace}}]}""")
                : family == "gemma3" ? JsonNode.Parse(Replace) : null,
            ["pre_tokenizer"] = family == "gemma3" ? JsonNode.Parse("""{"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert":false}""")
                : family == "llama2" ? null
                : JsonNode.Parse("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false}"""),
            ["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}]}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["unk_token"] = "<unk>",
                ["fuse_unk"] = true,
                ["byte_fallback"] = true,
                ["ignore_merges"] = false,
                ["vocab"] = vocab,
                ["merges"] = merges,
            },
        };
    }

    private static JsonArray Added(int first, (string Content, bool Special)[] tokens) => new(
        [.. tokens.Select((token, i) => (JsonNode)new JsonObject { ["id"] = first + i, ["content"] = token.Content, ["special"] = token.Special })]);

    private static Tokenizer Parse(JsonNode file) => TokenizerJson.Parse("family.json", Encoding.UTF8.GetBytes(file.ToJsonString()));

    private static string Random(ref SeededRandom random, int length)
    {
        var text = new StringBuilder();
        for (var left = random.NextBelow(length + 1); left > 0; left--)
        {
            var at = random.NextBelow(Alphabet.Length);
            text.Append(char.IsSurrogate(Alphabet[at]) ? "👍" : Alphabet[at].ToString());
        }

        return text.ToString();
    }

    // Any characters of all planes.
    private static string Wild(ref SeededRandom random, int length)
    {
        var text = new StringBuilder();
        for (var left = random.NextBelow(length + 1); left > 0; left--)
        {
            var character = random.NextBelow(random.NextBelow(2) == 0 ? 0x3000 : 0x110000);
            text.Append(Rune.IsValid(character) && character != 0x2581 ? new Rune(character).ToString() : " ");
        }

        return text.ToString();
    }
}
