using System.Text;
using System.Text.Json;
using Cairn.Base;
using Cairn.Data;

namespace Cairn.Formats;

/// <summary>tokenizer_config.json, of which three things matter here: the names of the tokens that begin and end a text, the one that ends a turn, and the chat
/// template.</summary>
internal static class TokenizerConfig
{
    private const int BytesMax = 4 << 20;
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    /// <summary>The chat template of a folder, or null.</summary>
    /// <param name="folder">The folder; the files may be missing.</param>
    /// <exception cref="InputException">A file is there and damaged.</exception>
    public static string? ReadTemplate(string folder)
    {
        var alone = Path.Combine(folder, HuggingFaceNames.ChatTemplate);
        if (File.Exists(alone))
        {
            return Encoding.UTF8.GetString(Bytes(alone));
        }

        var path = Path.Combine(folder, HuggingFaceNames.TokenizerConfig);
        return File.Exists(path) ? TemplateOf(path, Bytes(path)) : null;
    }

    /// <summary>The name of the token that ends a turn, or null: where a model was taught to converse it is another than the one that ends a text.</summary>
    /// <param name="folder">The folder; the file may be missing.</param>
    /// <exception cref="InputException">The file is there and damaged.</exception>
    public static string? ReadEnd(string folder)
    {
        var path = Path.Combine(folder, HuggingFaceNames.TokenizerConfig);
        return File.Exists(path) ? Field(path, Bytes(path), "eos_token", NameOf) : null;
    }

    internal static string? TemplateOf(string path, byte[] bytes) => Field(path, bytes, "chat_template", Template);

    private static string? Field(string path, byte[] bytes, string name, Func<JsonElement, string?> read)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var field) ? read(field) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException($"{path} is not JSON; fetch it again", e);
        }
    }

    /// <summary>Writes the file.</summary>
    public static void Write(Stream stream, ModelFile model)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteBoolean("add_bos_token", model.Tokenizer.BosId is not null);
        if (model.Tokenizer.BosId is { } begin)
        {
            json.WriteString("bos_token", model.Tokenizer.NameOf(begin));
        }

        if (model.ChatTemplate is { } template)
        {
            json.WriteString("chat_template", template);
        }

        json.WriteBoolean("clean_up_tokenization_spaces", false);
        json.WriteString("eos_token", model.Tokenizer.NameOf(model.Tokenizer.EosId));
        json.WriteNumber("model_max_length", model.Shape.Context);
        json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
        json.WriteEndObject();
    }

    // A text, or an object with the text in it.
    private static string? NameOf(JsonElement token) => token.ValueKind == JsonValueKind.String ? token.GetString()
        : token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString()
        : null;

    // A text, or several with names of which one is the default.
    private static string? Template(JsonElement template)
    {
        if (template.ValueKind != JsonValueKind.Array)
        {
            return template.ValueKind == JsonValueKind.String ? template.GetString() : null;
        }

        foreach (var entry in template.EnumerateArray())
        {
            if (entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
                && name.GetString() == "default" && entry.TryGetProperty("template", out var text) && text.ValueKind == JsonValueKind.String)
            {
                return text.GetString();
            }
        }

        return null;
    }

    private static byte[] Bytes(string path)
    {
        using var file = FileBytes.Open(path);
        return file.Length <= BytesMax ? file.Part(0, (int)file.Length).ToArray() : throw new InputException($"{path} has {file.Length} bytes, {BytesMax} are read");
    }
}
