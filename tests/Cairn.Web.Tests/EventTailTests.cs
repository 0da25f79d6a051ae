using Cairn.Node.Tests;

namespace Cairn.Web.Tests;

public sealed class EventTailTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private string Log => _folder["events.jsonl"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Lines_come_once_each_as_they_are_written()
    {
        var tail = new EventTail(Log);
        Assert.Empty(Read(tail));
        File.AppendAllText(Log, Line("a") + Line("b"));
        Assert.Equal(["a", "b"], Read(tail));
        Assert.Empty(Read(tail));
        File.AppendAllText(Log, Line("c"));
        Assert.Equal(["c"], Read(tail));
    }

    [Fact]
    public void A_line_that_is_being_written_is_waited_for()
    {
        var tail = new EventTail(Log);
        var line = Line("half");
        File.AppendAllText(Log, line[..20]);
        Assert.Empty(Read(tail));
        File.AppendAllText(Log, line[20..]);
        Assert.Equal(["half"], Read(tail));
    }

    [Fact]
    public void A_line_that_is_too_long_is_passed_over_and_the_next_one_is_read()
    {
        var tail = new EventTail(Log);
        File.WriteAllText(Log, Line("before") + new string('x', (3 * EventTail.LineMax) + 17) + "\n" + Line("after"));
        Assert.Equal(["before", "after"], Read(tail));
    }

    [Fact]
    public void A_log_that_was_begun_anew_is_read_from_its_beginning()
    {
        var tail = new EventTail(Log);
        File.WriteAllText(Log, Line("a") + Line("b"));
        Assert.Equal(["a", "b"], Read(tail));
        File.WriteAllText(Log, Line("c"));
        Assert.Empty(Read(tail));
        Assert.Equal(["c"], Read(tail));
    }

    [Fact]
    public void A_line_can_be_read_again_from_its_place()
    {
        File.WriteAllText(Log, Line("a") + "\n\nrubbish\n" + Line("b"));
        var tail = new EventTail(Log);
        var places = new List<EventPlace>();
        while (tail.Peek() is { } line)
        {
            places.Add(line.Place);
            tail.Take();
        }

        Assert.Equal(2, places.Count);
        Assert.Equal("b", tail.Again(places[1], out var document)!.Value.Kind);
        document!.Dispose();
    }

    [Theory]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","data":{"event":"\ud800"}}""")]
    [InlineData("""{"time":"\ud800","data":{"event":"a"}}""")]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","data":{"event":"a"},"\ud800":1}""")]
    [InlineData("""{"time":"2026-01-01T00:00:00Z","data":{"event":"a÷"}}""")]
    public void A_line_with_text_that_is_none_is_passed_over_and_the_next_one_is_read(string line)
    {
        // Each character a byte: a division sign alone is no UTF-8.
        File.WriteAllBytes(Log, System.Text.Encoding.Latin1.GetBytes(Line("before") + line + "\n" + Line("after")));
        Assert.Equal(["before", "after"], Read(new EventTail(Log)));
    }

    private static string Line(string kind) => $"{{\"time\":\"2026-01-01T00:00:00Z\",\"data\":{{\"event\":\"{kind}\"}}}}\n";

    private static List<string> Read(EventTail tail)
    {
        var kinds = new List<string>();
        while (tail.Peek() is { } line)
        {
            kinds.Add(line.Kind);
            tail.Take();
        }

        return kinds;
    }
}
