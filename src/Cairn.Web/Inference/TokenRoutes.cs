using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cairn.Web;

/// <summary>Text to tokens and back.</summary>
internal static class TokenRoutes
{
    private const int TokensMax = 1 << 20;

    /// <summary>The tokens of a prompt, or of a conversation.</summary>
    public static Task TokenizeAsync(HttpContext context, BodyReader.Body body, ModelRoom.Lease lease, CancellationToken cancellation)
    {
        var (fields, model) = (new RequestFields(body.Root), lease.Served);
        var text = fields.Text("prompt") ?? fields.Text("content");
        var tokens = text is null ? model.Encode(ChatMessages.Read(fields.Find("messages")), cancellation)
            : fields.Find("add_special_tokens") is { ValueKind: JsonValueKind.False } ? model.Tokenizer.Encode(text)
            : model.Encode(text);
        return Answers.SendNewAsync(context, ApiJson.Default.TokensView, new TokensView(tokens.Length, model.LengthMax, tokens));
    }

    /// <summary>The text of tokens.</summary>
    public static Task DetokenizeAsync(HttpContext context, BodyReader.Body body, ModelRoom.Lease lease, CancellationToken cancellation)
    {
        var tokenizer = lease.Served.Tokenizer;
        var wrong = $"'tokens' must be a list of at most {TokensMax} whole numbers below {tokenizer.VocabularySize}.";
        var given = new RequestFields(body.Root).Find("tokens") is { ValueKind: JsonValueKind.Array } list && list.GetArrayLength() <= TokensMax
            ? list : throw ApiRefusal.Field("tokens", wrong);
        int[] tokens = [.. given.EnumerateArray().Select(id =>
            id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var token) && (uint)token < (uint)tokenizer.VocabularySize
                ? token : throw ApiRefusal.Field("tokens", wrong))];
        return Answers.SendNewAsync(context, ApiJson.Default.TextOfTokensView, new TextOfTokensView(tokenizer.DecodeText(tokens, keepSpecial: true)));
    }
}
