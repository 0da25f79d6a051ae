using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class SdkDocumentationTests
{
    private const string Sample = """
        <?xml version="1.0"?><doc><assembly><name>Sample</name></assembly><members>
        <member name="M:N.Box`1.Add(`0,System.Int32)">
          <summary>Adds an item to the <see cref="T:System.Collections.Generic.List`1" />,
             if it is <see langword="true" /> &amp; short. <code>list.Add(1);</code> See <see cref="F:System.Int32.MaxValue">Int32.MaxValue</see>.</summary>
          <param name="item">The item to add, smaller than <paramref name="count" />.</param>
          <param name="mode">Specifies how the item is added.</param>
          <typeparam name="T">The type of the items.</typeparam>
          <exception cref="T:System.ArgumentNullException">
            <paramref name="item" /> is <see langword="null" />.
            -or-
            The list is read-only.</exception>
          <returns>true if it was added; otherwise, false</returns>
          <remarks><format type="text/markdown"><![CDATA[ # not prose ]]></format></remarks>
        </member>
        <member name="F:N.C.X"><summary>__m128i _mm_abs_epi8 (__m128i a) PABSB xmm1, xmm2/m128</summary></member>
        <member name="F:N.C.Y"><summary>Unclosed element
        </members></doc>
        """;

    private static readonly Lazy<Corpus?> Sdk = new(() =>
    {
        try
        {
            return Corpus.Load(new CorpusOptions());
        }
        catch (InputException)
        {
            return null;
        }
    });

    [Fact]
    public void Documentation_becomes_sentences()
    {
        var text = AssemblyText.Read("Sample", Encoding.UTF8.GetBytes(Sample));
        string[] expected =
        [
            "Adds an item to the List, if it is true & short. See Int32.MaxValue.",
            "item is the item to add, smaller than count.",
            "mode specifies how the item is added.",
            "T is the type of the items.",
            "Throws ArgumentNullException if item is null, or the list is read-only.",
            "Returns true if it was added; otherwise, false.",
        ];
        Assert.Equal(expected, text.Lines.Select(line => Encoding.UTF8.GetString(text.Bytes.Span.Slice(line.Start, line.Length))));
        Assert.All(text.Lines, line => Assert.Equal(0, line.Member));
    }

    [Theory]
    [InlineData("T:System.String", "String")]
    [InlineData("M:System.Collections.Generic.List`1.#ctor(System.Int32)", "List")]
    [InlineData("M:N.A.System#IDisposable#Dispose", "Dispose")]
    [InlineData("P:N.A.Item(System.Int32)", "Item")]
    [InlineData("N:System.Text", "System.Text")]
    [InlineData("!:unknown", "unknown")]
    [InlineData("", "")]
    public void References_show_simple_names(string id, string name) =>
        Assert.Equal(name, Encoding.UTF8.GetString(XmlProse.SimpleName(Encoding.UTF8.GetBytes(id))));

    [Fact]
    public void Lines_that_differ_only_in_names_and_numbers_are_near()
    {
        Assert.Equal(Near("Initializes a new instance of the FileStream class."), Near("initializes a new instance of the MemoryStream class"));
        Assert.NotEqual(Near("Gets the first element."), Near("Gets the last element."));
    }

    [Fact]
    public void Damaged_documentation_never_fails()
    {
        var random = new SeededRandom(51, "xml");
        for (var round = 0; round < 3000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(Sample)[..random.NextBelow(Sample.Length)];
            for (var damage = random.NextBelow(5); damage > 0 && bytes.Length > 0; damage--)
            {
                bytes[random.NextBelow(bytes.Length)] = (byte)"<>&;/\"= \n\0\xff"[random.NextBelow(11)];
            }

            var text = AssemblyText.Read("Damaged", bytes);
            Assert.All(text.Lines, line => Assert.True(line.Length > 0 && line.Start + line.Length <= text.Bytes.Length));
        }
    }

    [Fact]
    public void The_default_text_is_large_and_holds_out_whole_assemblies_whose_lines_occur_nowhere_else()
    {
        Assert.SkipWhen(Sdk.Value is null, "no .NET SDK with reference documentation is installed");
        var corpus = Sdk.Value!;
        Assert.InRange(corpus.TrainBytes, 3_000_000, 30_000_000);
        Assert.InRange(corpus.HeldOutBytes, corpus.TrainBytes / 50, corpus.TrainBytes / 10);
        var train = Lines(corpus, heldOut: false);
        Assert.Equal(train.Count, train.Distinct().Count());
        Assert.Empty(Lines(corpus, heldOut: true).Intersect(train));
    }

    [Fact]
    public void The_default_text_is_the_same_each_time_and_reads_as_prose()
    {
        Assert.SkipWhen(Sdk.Value is null, "no .NET SDK with reference documentation is installed");
        Assert.Equal(Sdk.Value!.Digest, Corpus.Load(new CorpusOptions()).Digest);
        var all = string.Concat(Sdk.Value!.Documents.Select(document => Encoding.UTF8.GetString(document.Text.Span)));
        Assert.DoesNotContain("<see", all, StringComparison.Ordinal);
        Assert.DoesNotContain("&lt;", all, StringComparison.Ordinal);
        Assert.DoesNotContain("  ", all, StringComparison.Ordinal);
    }

    private static ulong Near(string line) => LineQuality.NearHash(Encoding.UTF8.GetBytes(line));

    private static List<string> Lines(Corpus corpus, bool heldOut) =>
        [.. corpus.Documents.Where(document => document.HeldOut == heldOut).SelectMany(document => Encoding.UTF8.GetString(document.Text.Span).Split('\n'))];
}
