using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cairn.Inference;
using Cairn.Model;

namespace Cairn.Web;

/// <summary>What a request for a continuation asks, read and checked.</summary>
/// <param name="Prompts">At least one.</param>
/// <param name="Settings">How tokens are chosen; the most tokens are those asked for, or 0 for as many as there is room.</param>
/// <param name="Count">Continuations of each prompt.</param>
/// <param name="Stops">Texts that end one.</param>
/// <param name="LikeliestCount">How many of the likeliest tokens are told; null tells no probabilities.</param>
/// <param name="Streams">True to send text as it comes.</param>
/// <param name="TellsUsage">True to end a stream with what it took.</param>
/// <param name="Echoes">The text of each prompt where it is to come first, else empty.</param>
internal sealed record AskedCompletion(
    IReadOnlyList<int[]> Prompts, SamplingSettings Settings, int Count, IReadOnlyList<string> Stops, int? LikeliestCount, bool Streams, bool TellsUsage,
    IReadOnlyList<string> Echoes)
{
    private const int StopsMax = 16;
    private const int StopLengthMax = 512;
    private const int LikeliestMax = 20;
    private const int CountMax = 128;

    // What completions ask for where they say nothing, as OpenAI has it.
    private const int UsualTokens = 16;

    /// <summary>Reads a request for completions.</summary>
    public static AskedCompletion OfText(JsonElement body, ServedModel model, CancellationToken cancellation)
    {
        var fields = new RequestFields(body);
        fields.Refuse("suffix", "\"\"");
        fields.Refuse("best_of", "1");
        var (prompts, texts) = PromptsOf(fields, model);
        var likeliest = fields.Whole("logprobs", 0, LikeliestMax);
        var echoes = fields.Flag("echo");
        if (echoes && likeliest is not null)
        {
            throw ApiRefusal.Field("echo", "'echo' and 'logprobs' do not go together here: probabilities of prompts are told by 'cairn eval'.");
        }

        var tokensMax = fields.Whole("max_tokens", 1, int.MaxValue) ?? UsualTokens;
        return Common(fields, model, prompts, tokensMax, likeliest, "prompt") with { Echoes = echoes ? texts : [] };
    }

    /// <summary>Reads a request for the next turn of a conversation.</summary>
    public static AskedCompletion OfChat(JsonElement body, ServedModel model, CancellationToken cancellation)
    {
        var fields = new RequestFields(body);
        foreach (var name in new[] { "tools", "functions", "audio", "modalities", "prediction", "web_search_options" })
        {
            fields.Refuse(name, "[\"text\"]");
        }

        fields.Refuse("response_format", "{\"type\":\"text\"}");
        var messages = ChatMessages.Read(fields.Find("messages"));
        var likeliest = fields.Whole("top_logprobs", 0, LikeliestMax);
        if (likeliest is not null && !fields.Flag("logprobs"))
        {
            throw ApiRefusal.Field("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        }

        var tokensMax = fields.Whole("max_completion_tokens", 1, int.MaxValue) ?? fields.Whole("max_tokens", 1, int.MaxValue) ?? 0;
        var asked = Common(
            fields, model, [model.Encode(messages, cancellation)], tokensMax, fields.Flag("logprobs") ? likeliest ?? 0 : null, "messages");
        return asked with { Stops = [.. asked.Stops, .. model.Conversation.Stops] };
    }

    private static AskedCompletion Common(RequestFields fields, ServedModel model, IReadOnlyList<int[]> prompts, int tokensMax, int? likeliest, string parameter)
    {
        if (fields.Text("model") is { } name && name != model.Name)
        {
            throw ApiRefusal.NoModel(name, model.Name);
        }

        var count = fields.Whole("n", 1, CountMax) ?? 1;
        if ((long)count * prompts.Count > CountMax)
        {
            throw ApiRefusal.Field("n", $"A request may ask for {CountMax} continuations, this one asks for {(long)count * prompts.Count}.");
        }

        foreach (var prompt in prompts)
        {
            model.CheckRoom(prompt.Length, tokensMax, parameter);
            model.CheckKnown(prompt, parameter);
        }

        var usual = model.Generation;
        var settings = new SamplingSettings(
            fields.Number("temperature", 0, 2) ?? usual.Temperature, fields.Number("top_p", double.Epsilon, 1) ?? usual.TopP, tokensMax,
            fields.Seed("seed") ?? BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)))
        {
            TopK = Math.Max(0, fields.Whole("top_k", -1, int.MaxValue) ?? 0),
            MinP = fields.Number("min_p", 0, 1) ?? 0,
            RepetitionPenalty = fields.Number("repetition_penalty", 0.01, 100) ?? 1,
            PresencePenalty = fields.Number("presence_penalty", -2, 2) ?? 0,
            FrequencyPenalty = fields.Number("frequency_penalty", -2, 2) ?? 0,
            LogitBias = fields.Biases("logit_bias", model.Vocabulary),
        };
        var usage = fields.Find("stream_options") is { ValueKind: JsonValueKind.Object } options && new RequestFields(options).Flag("include_usage");
        return new AskedCompletion(prompts, settings, count, fields.Texts("stop", StopsMax, StopLengthMax), likeliest, fields.Flag("stream"), usage, []);
    }

    // A text, a list of texts, the ids of a text, or a list of those.
    private static (IReadOnlyList<int[]> Prompts, IReadOnlyList<string> Texts) PromptsOf(RequestFields fields, ServedModel model)
    {
        var prompt = fields.Find("prompt") ?? throw ApiRefusal.Field("prompt", "'prompt' is missing.");
        if (prompt.ValueKind == JsonValueKind.String)
        {
            return ([model.Encode(prompt.GetString()!)], [prompt.GetString()!]);
        }

        if (prompt.ValueKind != JsonValueKind.Array || prompt.GetArrayLength() == 0)
        {
            throw ApiRefusal.Field("prompt", "'prompt' must be a text, a list of texts, or token ids.");
        }

        if (prompt[0].ValueKind == JsonValueKind.Number)
        {
            var ids = IdsOf(prompt, model);
            return ([ids], [model.Tokenizer.DecodeText(ids)]);
        }

        if (prompt.GetArrayLength() > CountMax)
        {
            throw ApiRefusal.Field("prompt", $"A request may have {CountMax} prompts.");
        }

        var (prompts, texts) = (new List<int[]>(), new List<string>());
        foreach (var one in prompt.EnumerateArray())
        {
            prompts.Add(one.ValueKind == JsonValueKind.String ? model.Encode(one.GetString()!) : IdsOf(one, model));
            texts.Add(one.ValueKind == JsonValueKind.String ? one.GetString()! : model.Tokenizer.DecodeText(prompts[^1]));
        }

        return (prompts, texts);
    }

    private static int[] IdsOf(JsonElement ids, ServedModel model)
    {
        var wrong = $"Token ids must be whole numbers below {model.Vocabulary}, at least one.";
        if (ids.ValueKind != JsonValueKind.Array || ids.GetArrayLength() == 0)
        {
            throw ApiRefusal.Field("prompt", wrong);
        }

        model.CheckRoom(ids.GetArrayLength(), 0, "prompt");
        return [.. ids.EnumerateArray().Select(id =>
            id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var token) && (uint)token < (uint)model.Vocabulary
                ? token : throw ApiRefusal.Field("prompt", wrong))];
    }
}

/// <summary>Reads the turns of a conversation.</summary>
internal static class ChatMessages
{
    private const int RoleLengthMax = 32;

    /// <summary>Reads them.</summary>
    public static IReadOnlyList<ChatMessage> Read(JsonElement? messages)
    {
        if (messages is not { ValueKind: JsonValueKind.Array } turns || turns.GetArrayLength() == 0)
        {
            throw ApiRefusal.Field("messages", "'messages' must be a list of at least one turn.");
        }

        return [.. turns.EnumerateArray().Select(Turn)];
    }

    private static ChatMessage Turn(JsonElement turn)
    {
        var fields = new RequestFields(turn);
        var role = fields.Text("role") is { Length: > 0 and <= RoleLengthMax } named && named.All(c => char.IsAsciiLetterLower(c) || c is '_' or '-') ? named
            : throw ApiRefusal.Field("messages", "Each turn needs a 'role': system, user, assistant, or another word in small letters.");
        fields.Refuse("tool_calls");
        return new ChatMessage(role == "developer" ? "system" : role, fields.Find("content") switch
        {
            null => "",
            { ValueKind: JsonValueKind.String } text => text.GetString()!,
            { ValueKind: JsonValueKind.Array } parts => Joined(parts),
            _ => throw ApiRefusal.Field("messages", "The 'content' of a turn must be a text or a list of texts."),
        });
    }

    private static string Joined(JsonElement parts)
    {
        var text = new StringBuilder();
        foreach (var part in parts.EnumerateArray())
        {
            var fields = new RequestFields(part);
            text.Append(text.Length > 0 ? "\n" : "").Append(fields.Text("type") is "text" && fields.Text("text") is { } piece ? piece
                : throw ApiRefusal.Field("messages", "Only parts of the type 'text' are known here."));
        }

        return text.ToString();
    }
}
