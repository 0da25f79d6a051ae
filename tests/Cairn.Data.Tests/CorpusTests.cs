using System.Text;
using Cairn.Base;

namespace Cairn.Data.Tests;

public sealed class CorpusTests
{
    [Fact]
    public void A_folder_is_read_in_ordinal_order_of_paths_with_every_kind_of_file()
    {
        using var folder = new TestFolder();
        folder.Write("b.txt", "text b");
        folder.Write("B.md", "text B");
        folder.Write("a/z.jsonl", "{\"text\":\"one \\u00e9\"}\n\n{\"id\":1,\"text\":\"two\",\"meta\":{\"text\":\"not this\"}}\r\n");
        folder.Write("ignored.bin", "no");
        var corpus = Load(folder.Path);
        Assert.Equal(["text B", "one é", "two", "text b"], Texts(corpus));
        Assert.Equal(corpus.Digest, Load(folder.Path).Digest);
    }

    [Fact]
    public void The_field_of_records_can_be_chosen()
    {
        using var folder = new TestFolder();
        var path = folder.Write("r.jsonl", "{\"body\":\"one\",\"text\":5}\n{\"body\":\"two\"}\n{\"body\":\"\"}\n");
        Assert.Equal(["one", "two"], Texts(Corpus.Load(new CorpusOptions { Paths = [path], JsonField = "body" })));
        Assert.Contains("'text'", Refusal(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"text\":\"a\"}\n{\"text\":")]
    [InlineData("[1]")]
    [InlineData("{\"text\":\"a\"} x")]
    [InlineData("{\"text\":null}")]
    [InlineData("{\"other\":\"a\"}")]
    [InlineData("{\"text\":\"\\ud800\"}")]
    [InlineData("{\"text\":\"\"}")]
    public void Records_that_cannot_be_read_are_refused_by_name(string content)
    {
        using var folder = new TestFolder();
        Assert.Contains("r.jsonl", Refusal(folder.Write("r.jsonl", content)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_is_refused_by_name()
    {
        using var folder = new TestFolder();
        Assert.Contains("nul.txt", Refusal(folder.Write("nul.txt", "a\0b")), StringComparison.Ordinal);
        Assert.Contains("bad.txt", Refusal(folder.Write("bad.txt", [0x61, 0xC3, 0x28])), StringComparison.Ordinal);
        Assert.Contains("empty.md", Refusal(folder.Write("empty.md", " \r\n\t")), StringComparison.Ordinal);
        Assert.Contains("absent.txt", Refusal(folder["absent.txt"]), StringComparison.Ordinal);
        Assert.Contains("kind.pdf", Refusal(folder.Write("kind.pdf", "text")), StringComparison.Ordinal);
        Assert.Contains("one.txt", Refusal(folder.Write("one.txt", "One document cannot be divided.")), StringComparison.Ordinal);
        Directory.CreateDirectory(folder["nothing"]);
        Assert.Contains("nothing", Refusal(folder["nothing"]), StringComparison.Ordinal);
        var big = Assert.Throws<InputException>(() => Corpus.Load(new CorpusOptions { Paths = [folder.Write("big.txt", "0123456789")], TextBytesMax = 9 }));
        Assert.Contains("big.txt", big.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_no_text()
    {
        using var folder = new TestFolder();
        folder.Write("a.txt", [0xEF, 0xBB, 0xBF, .. "first"u8]);
        folder.Write("b.txt", "second");
        Assert.Equal(["first", "second"], Texts(Load(folder.Path)));
    }

    [Fact]
    public void A_single_book_is_cut_at_blank_lines_without_losing_a_byte()
    {
        using var folder = new TestFolder();
        var random = new SeededRandom(41, "book");
        var book = new StringBuilder();
        while (book.Length < 400_000)
        {
            book.Append(TestText.Sentence(ref random)).Append(random.NextBelow(6) == 0 ? "\n\n" : "\n");
        }

        var corpus = Load(folder.Write("book.txt", book.ToString()));
        Assert.Equal(book.ToString(), string.Concat(Texts(corpus)));
        Assert.InRange(corpus.Documents.Count, 50, 100);
        Assert.InRange(corpus.HeldOutCount, 1, 20);
        Assert.All(corpus.Documents.SkipLast(1), document => Assert.True(document.Text.Span.EndsWith("\n\n"u8)));
    }

    [Fact]
    public void Text_without_lines_is_cut_between_characters()
    {
        using var folder = new TestFolder();
        var text = string.Concat(Enumerable.Repeat("漢字かな", 5000));
        var corpus = Load(folder.Write("solid.txt", text));
        Assert.True(corpus.Documents.Count > 5);
        Assert.Equal(text, string.Concat(Texts(corpus)));
    }

    [Fact]
    public void About_the_asked_part_is_held_out_and_equal_documents_go_the_same_way()
    {
        using var folder = new TestFolder();
        folder.Write("r.jsonl", string.Concat(Enumerable.Range(0, 6000).Select(i => $"{{\"text\":\"document number {i / 2}\"}}\n")));
        var corpus = Load(folder.Path);
        Assert.InRange(corpus.HeldOutCount, 200, 400);
        var heldOut = corpus.Documents.Where(document => document.HeldOut).Select(Text).ToHashSet();
        Assert.DoesNotContain(corpus.Documents, document => !document.HeldOut && heldOut.Contains(Text(document)));
    }

    [Fact]
    public void A_file_named_twice_is_read_once()
    {
        using var folder = new TestFolder();
        folder.Write("a.txt", "first");
        folder.Write("b.txt", "second");
        Assert.Equal(2, Corpus.Load(new CorpusOptions { Paths = [folder.Path, folder["a.txt"], folder.Path] }).Documents.Count);
    }

    private static Corpus Load(string path) => Corpus.Load(new CorpusOptions { Paths = [path] });

    private static string Refusal(string path) => Assert.Throws<InputException>(() => Load(path)).Message;

    private static string Text(Document document) => Encoding.UTF8.GetString(document.Text.Span);

    private static string[] Texts(Corpus corpus) => [.. corpus.Documents.Select(Text)];
}
