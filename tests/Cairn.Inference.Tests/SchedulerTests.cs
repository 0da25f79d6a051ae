using System.Text;
using Cairn.Base;
using Cairn.Model;

namespace Cairn.Inference.Tests;

public sealed class SchedulerTests
{
    private static readonly HashSet<int> Never = [-1];

    [Fact]
    public void A_text_is_the_same_alone_and_in_any_company()
    {
        using var tiny = new Tiny();
        var alone = Enumerable.Range(0, 9).Select(i => Alone(tiny, Request(i))).ToList();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 512));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 4);
        var heard = Enumerable.Range(0, 9).Select(_ => new Heard()).ToList();
        // Some come while others are under way.
        for (var i = 0; i < 9; i++)
        {
            scheduler.Add(new Continuation(Request(i), heard[i].Add));
            scheduler.Step();
        }

        RunAll(scheduler);
        Assert.Equal(alone, heard.ConvertAll(one => one.Text));
        Assert.All(heard, one => Assert.Equal(ContinuationEnd.Length, one.End));
        Assert.Equal((0, 0, 9 * 30L), (scheduler.State.Running, scheduler.State.Waiting, scheduler.State.GeneratedTokens));
        Assert.Equal(model.CacheTokens, model.FreeTokens);
    }

    [Fact]
    public void Where_the_cache_is_full_the_newest_is_put_back_and_its_text_is_the_same()
    {
        using var tiny = new Tiny();
        var alone = Enumerable.Range(0, 6).Select(i => Alone(tiny, Request(i, 60))).ToList();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 192));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 6);
        var heard = Enumerable.Range(0, 6).Select(_ => new Heard()).ToList();
        var continuations = heard.Select((one, i) => new Continuation(Request(i, 60), one.Add)).ToList();
        continuations.ForEach(scheduler.Add);
        RunAll(scheduler);
        Assert.Equal(alone, heard.ConvertAll(one => one.Text));
        Assert.True(scheduler.State.PutBack > 0);
        // What one computed before it was put back is not something that it shares with another.
        Assert.Equal(0, scheduler.State.SharedTokens);
        Assert.All(continuations, one => Assert.Equal(0, one.Shared));
        Assert.Equal(model.CacheTokens, model.FreeTokens);
        // Who came first ended first.
        Assert.Equal(heard.Select(one => one.EndedAt).Order(), heard.Select(one => one.EndedAt));
    }

    [Fact]
    public void What_begins_alike_is_computed_once()
    {
        using var tiny = new Tiny();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 512));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 8);
        var request = Request(0, 10) with { Prompt = Tiny.Text(70) };
        var (one, two, three) = (new Heard(), new Heard(), new Heard());
        var first = new Continuation(request, one.Add);
        var second = new Continuation(request, two.Add, first);
        scheduler.Add(first);
        scheduler.Add(second);
        RunAll(scheduler);
        var third = new Continuation(request, three.Add);
        scheduler.Add(third);
        RunAll(scheduler);
        Assert.Equal(0, first.Shared);
        Assert.True(second.Shared >= BatchModel.PageTokens && third.Shared == second.Shared);
        Assert.Equal((one.Text, one.Text), (two.Text, three.Text));
        Assert.Equal((3 * 70) - second.Shared - third.Shared, scheduler.State.PromptTokens);
    }

    [Fact]
    public void Who_leaves_makes_room_at_the_next_step()
    {
        using var tiny = new Tiny();
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 128));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 1);
        var (gone, stays) = (new Heard(), new Heard());
        var first = new Continuation(Request(1, 90), gone.Add);
        scheduler.Add(first);
        scheduler.Add(new Continuation(Request(2, 5), stays.Add));
        scheduler.Step();
        scheduler.Step();
        first.Cancel();
        RunAll(scheduler);
        Assert.Equal((ContinuationEnd.Cancelled, ContinuationEnd.Length), (gone.End, stays.End));
        Assert.InRange(first.Generated, 1, 3);
    }

    [Fact]
    public void A_long_prompt_is_read_in_pieces_and_holds_up_nobody()
    {
        using var tiny = new Tiny(Tiny.Grouped with { Context = 2048 });
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 4096));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 4);
        var (talker, reader) = (new Heard(), new Heard());
        var talking = new Continuation(Request(1, 20), talker.Add);
        scheduler.Add(talking);
        scheduler.Step();
        scheduler.Add(new Continuation(Request(2, 1) with { Prompt = Tiny.Text(1500) }, reader.Add));
        for (var steps = 1; steps <= 3; steps++)
        {
            Assert.Null(reader.End);
            scheduler.Step();
            Assert.Equal(steps + 1, talking.Generated);
        }

        Assert.Equal(ContinuationEnd.Length, reader.End);
    }

    [Fact]
    public void A_text_ends_with_an_end_token_or_a_stop_text_and_neither_is_handed_out()
    {
        using var tiny = new Tiny();
        var request = Request(3, 40) with { Settings = new SamplingSettings(0, 1, 40) };
        var whole = Encoding.UTF8.GetBytes(Alone(tiny, request with { Settings = request.Settings with { LogitBias = Ascii } }));
        var plain = request with { Settings = request.Settings with { LogitBias = Ascii } };
        var text = Encoding.UTF8.GetString(whole);
        var (stop, end) = (text[7..10], whole[12]);
        var (stopped, ended) = (new Heard(), new Heard());
        using var model = tiny.Load();
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 4);
        scheduler.Add(new Continuation(plain with { Stops = [stop, "never"] }, stopped.Add));
        scheduler.Add(new Continuation(plain with { Ends = new HashSet<int> { end } }, ended.Add));
        RunAll(scheduler);
        Assert.Equal((text[..text.IndexOf(stop, StringComparison.Ordinal)], ContinuationEnd.Stop), (stopped.Text, stopped.End));
        Assert.Equal((text[..text.IndexOf((char)end, StringComparison.Ordinal)], ContinuationEnd.Stop), (ended.Text, ended.End));
    }

    [Fact]
    public void Probabilities_are_those_of_the_model_whatever_the_settings()
    {
        using var tiny = new Tiny();
        using var model = tiny.Load();
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 4);
        var heard = new Heard();
        var request = Request(4, 6);
        scheduler.Add(new Continuation(request with { LikeliestCount = Tiny.Tokenizer.VocabularySize }, heard.Add));
        RunAll(scheduler);
        Assert.Equal(6, heard.Likelihoods.Count);
        var logits = tiny.Expected([.. request.Prompt, .. heard.Likelihoods.Select(at => at.Chosen.Token)]);
        for (var i = 0; i < 6; i++)
        {
            var (at, expected) = (heard.Likelihoods[i], logits[request.Prompt.Length - 1 + i]);
            Assert.Equal(1, at.Likeliest.Sum(one => Math.Exp(one.LogProbability)), 1e-9);
            Assert.Equal(at.Chosen, at.Likeliest.Single(one => one.Token == at.Chosen.Token));
            Assert.Equal(at.Likeliest.OrderByDescending(one => one.LogProbability).ThenBy(one => one.Token), at.Likeliest);
            var sum = Math.Log(expected.Sum(logit => Math.Exp(logit)));
            Assert.All(at.Likeliest, one => Assert.Equal(expected[one.Token] - sum, one.LogProbability, 1e-4));
        }
    }

    [Fact]
    public void Hundreds_that_come_and_go_all_end_and_leave_nothing_behind()
    {
        using var tiny = new Tiny(Tiny.Odd);
        using var model = tiny.Load(new BatchModelOptions(CacheTokens: 256));
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 12);
        var random = new SeededRandom(9, "crowd");
        var crowd = new List<(Continuation One, Heard Heard)>();
        for (var i = 0; i < 200; i++)
        {
            var heard = new Heard();
            var one = new Continuation(
                Request(i, 1 + random.NextBelow(20)) with { Prompt = Tiny.Text(1 + random.NextBelow(70), random.NextBelow(3)) }, heard.Add,
                i > 0 && random.NextBelow(4) == 0 ? crowd[^1].One : null);
            crowd.Add((one, heard));
            scheduler.Add(one);
            for (var steps = random.NextBelow(4); steps > 0; steps--)
            {
                scheduler.Step();
            }

            crowd[random.NextBelow(crowd.Count)].One.Cancel();
        }

        RunAll(scheduler);
        Assert.All(crowd, one => Assert.NotNull(one.Heard.End));
        Assert.Contains(crowd, one => one.Heard.End == ContinuationEnd.Cancelled);
        Assert.Contains(crowd, one => one.Heard.End == ContinuationEnd.Length);
        Assert.Equal(model.CacheTokens, model.FreeTokens);
    }

    private static Dictionary<int, double> Ascii => Enumerable.Range(0, Tiny.Tokenizer.VocabularySize).Where(id => id is < 33 or > 126).ToDictionary(id => id, _ => -100.0);

    private static ContinuationRequest Request(int seed, int tokens = 30) => new(
        Tiny.Text(5 + (seed % 40), seed), new SamplingSettings(0.9, 0.9, tokens, (ulong)seed) { FrequencyPenalty = seed % 2, TopK = seed % 3 * 20 }, Never, []);

    private static string Alone(Tiny tiny, ContinuationRequest request)
    {
        using var model = tiny.Load();
        var scheduler = new Scheduler(model, Tiny.Tokenizer, 1);
        var heard = new Heard();
        scheduler.Add(new Continuation(request, heard.Add));
        RunAll(scheduler);
        return heard.Text;
    }

    private static void RunAll(Scheduler scheduler)
    {
        for (var steps = 0; scheduler.Step(); steps++)
        {
            Assert.True(steps < 20_000);
        }
    }

    /// <summary>What somebody heard of a continuation.</summary>
    private sealed class Heard
    {
        private static int _ended;

        public string Text { get; private set; } = "";

        public List<LikelihoodAt> Likelihoods { get; } = [];

        public ContinuationEnd? End { get; private set; }

        public int EndedAt { get; private set; }

        public void Add(ContinuationPart part)
        {
            Assert.Null(End);
            Text += part.Text;
            Likelihoods.AddRange(part.Likelihoods);
            End = part.End;
            EndedAt = End is null ? 0 : Interlocked.Increment(ref _ended);
        }
    }
}
