using Cairn.Base;

namespace Cairn.Exchange.Tests;

public sealed class ObjectKeyTests
{
    private static readonly string Hex = Digest.Of("x"u8).ToString();

    [Fact]
    public void Keys_of_the_protocol_are_spelled_as_specified()
    {
        Assert.Equal($"rounds/000012/updates/{Hex}", ObjectKey.Update(new Round(12), Digest.Of("x"u8)).Text);
        Assert.Equal("checkpoints/001000/model.safetensors", ObjectKey.Checkpoint(new Round(1000), "model.safetensors").Text);
    }

    [Fact]
    public void Every_key_of_ours_parses_to_itself()
    {
        foreach (var key in new[] { ObjectKey.Update(new Round(3), Digest.Of("y"u8)), ObjectKey.Checkpoint(new Round(3), "a"), ObjectKey.Checkpoint(new Round(4), "generation_config.json") })
        {
            Assert.True(ObjectKey.TryParse(key.Text, out var parsed));
            Assert.Equal(key, parsed);
            Assert.Equal(key.GetHashCode(), parsed.GetHashCode());
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/etc/passwd")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a/.hidden")]
    [InlineData("a..b")]
    [InlineData("a.")]
    [InlineData("A")]
    [InlineData("a b")]
    [InlineData("a\\b")]
    [InlineData("c:")]
    [InlineData("a\0")]
    [InlineData("ä")]
    [InlineData("run/nul")]
    [InlineData("con.txt/a")]
    [InlineData("com1")]
    public void What_could_lead_elsewhere_is_no_key(string? text)
    {
        Assert.False(ObjectKey.TryParse(text, out var key));
        Assert.Null(key);
    }

    [Fact]
    public void Length_is_bounded()
    {
        Assert.True(ObjectKey.TryParse(new string('a', ObjectKey.LengthMax), out _));
        Assert.False(ObjectKey.TryParse(new string('a', ObjectKey.LengthMax + 1), out _));
    }

    [Fact]
    public void Order_of_keys_is_order_of_rounds()
    {
        ObjectKey[] keys = [.. new[] { 100, 2, 10, 999_999 }.Select(round => ObjectKey.Checkpoint(new Round(round), "x"))];
        Assert.Equal([keys[1], keys[2], keys[0], keys[3]], keys.Order());
        Assert.True(keys[1] < keys[0] && keys[0] > keys[1] && keys[0] >= keys[0] && keys[0] <= keys[0] && keys[0] != keys[1]);
    }
}
