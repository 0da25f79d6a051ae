using System.Text.Json.Serialization;

namespace Cairn.Web;

/// <summary>A fault as clients of OpenAI know it.</summary>
internal sealed record ApiError(string Message, string Type, string? Param, string? Code);

internal sealed record ApiErrorView(ApiError Error);

internal sealed record ServedModelView(string Id, string Object, long Created, string OwnedBy, int MaxModelLen, string SystemFingerprint);

internal sealed record ServedModelsView(string Object, IReadOnlyList<ServedModelView> Data);

internal sealed record HealthView(string Status, string Model, string SystemFingerprint);

internal sealed record PromptDetails(int CachedTokens);

internal sealed record UsageView(int PromptTokens, int CompletionTokens, int TotalTokens, PromptDetails PromptTokensDetails);

internal sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens, IReadOnlyList<double> TokenLogprobs, IReadOnlyList<Dictionary<string, double>> TopLogprobs, IReadOnlyList<int> TextOffset);

internal sealed record CompletionChoice(string Text, int Index, CompletionLogprobs? Logprobs, string? FinishReason);

internal sealed record CompletionView(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<CompletionChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] UsageView? Usage = null);

internal sealed record TopLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes);

internal sealed record ChatLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<TopLogprob> TopLogprobs);

internal sealed record ChatLogprobs(IReadOnlyList<ChatLogprob> Content, string? Refusal = null);

internal sealed record ChatTurn(string Role, string Content, string? Refusal = null);

internal sealed record ChatChoice(int Index, ChatTurn Message, ChatLogprobs? Logprobs, string? FinishReason);

internal sealed record ChatView(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<ChatChoice> Choices, UsageView Usage);

internal sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null);

internal sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogprobs? Logprobs, string? FinishReason);

internal sealed record ChatChunk(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<ChatChunkChoice> Choices,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] UsageView? Usage = null);

internal sealed record TokensView(int Count, int MaxModelLen, IReadOnlyList<int> Tokens);

internal sealed record TextOfTokensView(string Prompt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ApiErrorView))]
[JsonSerializable(typeof(ServedModelsView))]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(CompletionView))]
[JsonSerializable(typeof(ChatView))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(TokensView))]
[JsonSerializable(typeof(TextOfTokensView))]
internal sealed partial class ApiJson : JsonSerializerContext;
