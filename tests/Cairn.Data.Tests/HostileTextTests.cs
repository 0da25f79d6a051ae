using System.Text;
using Cairn.Base;
using Cairn.Formats.Tests;

namespace Cairn.Data.Tests;

public sealed class HostileTextTests
{
    [Theory]
    [InlineData("llama3")]
    [InlineData("gemma3")]
    public void Damaged_tokenizers_are_read_or_refused(string family)
    {
        const string Text = "The cairn 12 \u0000é  <tool>";
        var file = Encoding.UTF8.GetBytes(FamilyTests.File(family).ToJsonString());
        Mutations.Try(file, 1 << 20, Mutations.Count(2_500), 24 << 20, bytes =>
        {
            var tokenizer = TokenizerJson.Parse("damaged.json", bytes);
            var back = tokenizer.DecodeText(tokenizer.Encode(Text), keepSpecial: true);
            Assert.Equal(tokenizer.Parts.Composes ? Encoding.UTF8.GetString(Composition.Compose(Encoding.UTF8.GetBytes(Text))) : Text, back);
        });
    }

    [Fact]
    public void Damaged_records_are_read_or_refused()
    {
        var file = """
            {"text":"One \\u00e9 two","id":1}
            {"id":{"a":[1,2,{"b":null}]},"text":"three\\n\\"four\\""}

            {"text":"日本 \\ud83d\\ude00"}
            """u8.ToArray();
        Mutations.Try(file, 1 << 20, Mutations.Count(8_000), 1 << 20, bytes =>
        {
            // What is not UTF-8 is refused before.
            if (System.Text.Unicode.Utf8.IsValid(bytes))
            {
                Assert.NotEmpty(JsonRecords.Read("damaged.jsonl", bytes, "text"));
            }
        });
    }
}
