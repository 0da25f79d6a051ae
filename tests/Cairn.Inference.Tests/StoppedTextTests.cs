using System.Text;

namespace Cairn.Inference.Tests;

/// <summary>Every token is a byte here, so that characters and stop texts span tokens as much as they can.</summary>
public sealed class StoppedTextTests
{
    [Theory]
    [InlineData("hello STOP there", "hello ", "STOP")]
    [InlineData("hello STO", "hello STO", "STOP")]
    [InlineData("aaab", "aa", "ab")]
    [InlineData("ababac!", "ab", "abac")]
    [InlineData("first second", "fir", "second", "st")]
    [InlineData("snow ☃ and 👍🏽 end", "snow ☃ and ", "👍🏽")]
    [InlineData("nothing to stop", "nothing to stop")]
    [InlineData("STOP", "", "STOP")]
    public void Nothing_of_a_stop_text_is_given_and_nothing_else_is_kept(string said, string expected, params string[] stops)
    {
        var text = new StoppedText(Tiny.Tokenizer, stops);
        var given = new StringBuilder();
        foreach (var value in Encoding.UTF8.GetBytes(said))
        {
            if (!text.IsStopped)
            {
                given.Append(text.Append(value, null).Text);
                Assert.StartsWith(given.ToString(), expected, StringComparison.Ordinal);
            }
        }

        Assert.Equal(expected != said, text.IsStopped);
        given.Append(text.Finish().Text);
        Assert.Equal(expected, given.ToString());
    }

    [Fact]
    public void Text_that_can_be_given_is_given_at_once()
    {
        var text = new StoppedText(Tiny.Tokenizer, ["stop"]);
        Assert.Equal(["a", "", "", "stx", ""], "astxs".Select(letter => text.Append(letter, null).Text));
        Assert.Equal("s", text.Finish().Text);
    }

    [Fact]
    public void A_character_that_stays_incomplete_is_replaced_at_the_end()
    {
        var text = new StoppedText(Tiny.Tokenizer, []);
        Assert.Equal("", text.Append(0xF0, null).Text + text.Append(0x9F, null).Text);
        Assert.Equal("\uFFFD", text.Finish().Text);
    }

    [Fact]
    public void Probabilities_come_with_the_text_that_begins_with_their_token_and_not_for_what_is_never_given()
    {
        static LikelihoodAt At(int token) => new(new TokenLikelihood(token, -1), []);
        var text = new StoppedText(Tiny.Tokenizer, ["xyz"]);
        var told = new List<int>();
        foreach (var value in Encoding.UTF8.GetBytes("a☃xyxyz"))
        {
            told.AddRange(text.Append(value, At(value)).Likelihoods.Select(at => at.Chosen.Token));
        }

        Assert.True(text.IsStopped);
        Assert.Equal(Encoding.UTF8.GetBytes("a☃xy").Select(value => (int)value), told);
        var cut = new StoppedText(Tiny.Tokenizer, ["xyz"]);
        Assert.Empty(cut.Append('x', At('x')).Likelihoods);
        Assert.Empty(cut.Append('y', At('y')).Likelihoods);
        Assert.Equal(2, cut.Finish().Likelihoods.Count);
    }
}
