using System.Security.Cryptography;
using Cairn.Data;
using Cairn.Inference;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>How continuations are written: as completions or as turns of a conversation.</summary>
internal interface IAnswerForm
{
    /// <summary>Adds what became ready of one continuation to a stream.</summary>
    void AddPart(EventStream stream, int index, ContinuationPart part, bool isFirst);

    /// <summary>Adds what it all took to a stream.</summary>
    void AddUsage(EventStream stream, UsageView usage);

    /// <summary>Sends everything at once.</summary>
    Task SendAsync(HttpContext context, IReadOnlyList<ContinuationPart> whole, UsageView usage);
}

/// <summary>What all parts of an answer say alike.</summary>
/// <param name="prefix">Of its id.</param>
/// <param name="served">The model.</param>
/// <param name="created">Seconds since 1970.</param>
internal sealed class AnswerHead(string prefix, ServedModel served, long created)
{
    public string Id { get; } = $"{prefix}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";

    public long Created => created;

    public ServedModel Served => served;

    public Tokenizer Tokenizer => served.Tokenizer;

    public static string? Reason(ContinuationEnd? end) => end switch
    {
        null => null,
        ContinuationEnd.Stop => "stop",
        _ => "length",
    };

    public string TextOf(int token) => System.Text.Encoding.UTF8.GetString(Tokenizer.BytesOf(token, keepSpecial: true));

    // JSON has no number for the logarithm of nothing; OpenAI writes this.
    public static double Finite(double value) => double.IsFinite(value) ? value : -9999;
}

/// <summary>Completions: text after text.</summary>
/// <param name="head">What all parts say.</param>
/// <param name="echoes">The prompts that come first, or none.</param>
/// <param name="each">Continuations of each prompt.</param>
internal sealed class CompletionForm(AnswerHead head, IReadOnlyList<string> echoes, int each, bool tells) : IAnswerForm
{
    private readonly Dictionary<int, int> _offsets = [];

    public void AddPart(EventStream stream, int index, ContinuationPart part, bool isFirst)
    {
        var text = isFirst ? Echo(index) + part.Text : part.Text;
        stream.Add(ApiJson.Default.CompletionView, View([new(text, index, Logprobs(index, part), AnswerHead.Reason(part.End))], null));
    }

    public void AddUsage(EventStream stream, UsageView usage) => stream.Add(ApiJson.Default.CompletionView, View([], usage));

    public Task SendAsync(HttpContext context, IReadOnlyList<ContinuationPart> whole, UsageView usage)
    {
        var choices = whole.Select((part, index) => new CompletionChoice(Echo(index) + part.Text, index, Logprobs(index, part), AnswerHead.Reason(part.End)));
        return Answers.SendNewAsync(context, ApiJson.Default.CompletionView, View([.. choices], usage));
    }

    private string Echo(int index) => echoes.Count == 0 ? "" : echoes[index / each];

    private CompletionView View(IReadOnlyList<CompletionChoice> choices, UsageView? usage) =>
        new(head.Id, "text_completion", head.Created, head.Served.Name, head.Served.Version, choices, usage);

    private CompletionLogprobs? Logprobs(int index, ContinuationPart part)
    {
        if (!tells)
        {
            return null;
        }

        var texts = part.Likelihoods.Select(at => head.TextOf(at.Chosen.Token)).ToList();
        var offset = _offsets.GetValueOrDefault(index);
        var offsets = new List<int>();
        foreach (var text in texts)
        {
            offsets.Add(offset);
            offset += text.Length;
        }

        _offsets[index] = offset;
        return new CompletionLogprobs(texts, [.. part.Likelihoods.Select(at => AnswerHead.Finite(at.Chosen.LogProbability))], [.. part.Likelihoods.Select(Top)], offsets);
    }

    // By text: of tokens with the same text the likeliest counts. The chosen one is among them.
    private Dictionary<string, double> Top(LikelihoodAt at)
    {
        var top = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var one in at.Likeliest.Append(at.Chosen))
        {
            top.TryAdd(head.TextOf(one.Token), AnswerHead.Finite(one.LogProbability));
        }

        return top;
    }
}

/// <summary>Turns of a conversation.</summary>
/// <param name="head">What all parts say.</param>
/// <param name="tells">True to tell probabilities.</param>
internal sealed class ChatForm(AnswerHead head, bool tells) : IAnswerForm
{
    private const string Role = "assistant";

    public void AddPart(EventStream stream, int index, ContinuationPart part, bool isFirst)
    {
        if (isFirst)
        {
            Add(stream, new ChatChunkChoice(index, new ChatDelta(Role, ""), null, null));
        }

        if (part.Text.Length > 0 || part.Likelihoods.Count > 0)
        {
            Add(stream, new ChatChunkChoice(index, new ChatDelta(Content: part.Text), Logprobs(part), null));
        }

        if (part.End is not null)
        {
            Add(stream, new ChatChunkChoice(index, new ChatDelta(), null, AnswerHead.Reason(part.End)));
        }
    }

    public void AddUsage(EventStream stream, UsageView usage) => stream.Add(ApiJson.Default.ChatChunk, Chunk([], usage));

    public Task SendAsync(HttpContext context, IReadOnlyList<ContinuationPart> whole, UsageView usage)
    {
        var choices = whole.Select((part, index) => new ChatChoice(index, new ChatTurn(Role, part.Text), Logprobs(part), AnswerHead.Reason(part.End)));
        return Answers.SendNewAsync(
            context, ApiJson.Default.ChatView, new ChatView(head.Id, "chat.completion", head.Created, head.Served.Name, head.Served.Version, [.. choices], usage));
    }

    private void Add(EventStream stream, ChatChunkChoice choice) => stream.Add(ApiJson.Default.ChatChunk, Chunk([choice], null));

    private ChatChunk Chunk(IReadOnlyList<ChatChunkChoice> choices, UsageView? usage) =>
        new(head.Id, "chat.completion.chunk", head.Created, head.Served.Name, head.Served.Version, choices, usage);

    private ChatLogprobs? Logprobs(ContinuationPart part) => !tells ? null : new ChatLogprobs([.. part.Likelihoods.Select(at =>
        new ChatLogprob(
            head.TextOf(at.Chosen.Token), AnswerHead.Finite(at.Chosen.LogProbability), BytesOf(at.Chosen.Token),
            [.. at.Likeliest.Select(one => new TopLogprob(head.TextOf(one.Token), AnswerHead.Finite(one.LogProbability), BytesOf(one.Token)))]))]);

    private int[] BytesOf(int token)
    {
        var bytes = new List<int>();
        foreach (var value in head.Tokenizer.BytesOf(token, keepSpecial: true))
        {
            bytes.Add(value);
        }

        return [.. bytes];
    }
}
