using System.Text;
using System.Text.RegularExpressions;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class PreTokenizerTests
{
    internal static readonly Regex Regex = Build(PreTokenizer.Threes.Pattern);
    private static readonly Regex RegexOnes = Build(PreTokenizer.Ones.Pattern);

    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("I'll say he'd've", "I|'ll| say| he|'d|'ve")]
    [InlineData("IT'S o'clock 'tis", "IT|'S| o|'clock| '|tis")]
    [InlineData("  two  spaces ", " | two| | spaces| ")]
    [InlineData("1234567 x1", "123|456|7| x|1")]
    [InlineData("a\n\n  b\r\n", "a|\n\n| | b|\r\n")]
    [InlineData("x = (y+1);\n\nz", "x| =| (|y|+|1|);\n\n|z")]
    [InlineData("\tif(a)", "\tif|(a|)")]
    [InlineData("naïve 漢字 ٣٤٥٦", "naïve| 漢字| |٣٤٥|٦")]
    [InlineData("  \n \n  x", "  \n \n| | x")]
    public void Words_are_cut_as_the_pattern_says(string text, string words) => Assert.Equal(words.Split('|'), Cut(PreTokenizer.Threes, text));

    [Fact]
    public void The_scanner_agrees_with_the_regular_expression_on_any_text()
    {
        const string Alphabet = "aZéß漢ſ 1٣Ⅷ'’stredmlvSTREDLMV \t\n\r\u00a0\u2003\u0085\u3000.,-_([{$€\u0301\u200b\u0000";
        var random = new SeededRandom(11, "scan");
        for (var round = 0; round < 20000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.NextBelow(24)).Select(_ => Alphabet[random.NextBelow(Alphabet.Length)]));
            Assert.Equal(Regex.Matches(text).Select(match => match.Value), Cut(PreTokenizer.Threes, text));
            Assert.Equal(RegexOnes.Matches(text).Select(match => match.Value), Cut(PreTokenizer.Ones, text));
        }
    }

    [Fact]
    public void Bytes_that_are_no_text_are_cut_too()
    {
        var random = new SeededRandom(12, "scan-bytes");
        for (var round = 0; round < 2000; round++)
        {
            var bytes = TestText.RandomBytes(ref random, 100);
            var (at, words) = (0, 0);
            while (at < bytes.Length)
            {
                var end = PreTokenizer.Threes.End(bytes, at);
                Assert.InRange(end, at + 1, bytes.Length);
                at = end;
                words++;
            }

            Assert.True(words <= bytes.Length);
        }
    }

    // .NET does not fold U+017F to s where case is ignored; Unicode and the engines that read tokenizer.json do.
    internal static Regex Build(string pattern) => new(pattern.Replace("(?i:'s|", "'ſ|(?i:'s|", StringComparison.Ordinal), RegexOptions.CultureInvariant);

    private static List<string> Cut(PreTokenizer preTokenizer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var words = new List<string>();
        for (var start = 0; start < bytes.Length;)
        {
            var end = preTokenizer.End(bytes, start);
            words.Add(Encoding.UTF8.GetString(bytes[start..end]));
            start = end;
        }

        return words;
    }
}
