using System.Text.Json;

namespace Cairn.Data;

/// <summary>Writes the steps around the model of a tokenizer.json, as the published files of each family have them.</summary>
internal static class TokenizerJsonSteps
{
    private static readonly string Mark = TokenizerText.SpaceMark.ToString();

    /// <summary>Writes normalizer, pre_tokenizer, post_processor and decoder.</summary>
    /// <param name="json">Inside the file's object.</param>
    /// <param name="tokenizer">Any.</param>
    public static void Write(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        var parts = tokenizer.Parts;
        if (parts.Family == TokenizerFamily.SentencePiece)
        {
            WriteCharacters(json, parts);
            WriteBegin(json, tokenizer);
            WriteCharactersDecoder(json, parts);
            return;
        }

        if (parts.Composes)
        {
            Step(json, "normalizer", "NFC");
        }
        else
        {
            json.WriteNull("normalizer");
        }

        if (parts.Family == TokenizerFamily.Gpt2)
        {
            json.WriteStartObject("pre_tokenizer");
            WriteByteLevel(json, splits: true);
        }
        else
        {
            WriteSplit(json, PreTokenizer.For(parts.Family).Pattern);
        }

        WriteBegin(json, tokenizer);
        json.WriteStartObject("decoder");
        WriteByteLevel(json, splits: false);
    }

    private static void WriteSplit(Utf8JsonWriter json, string pattern)
    {
        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        json.WriteStartObject();
        json.WriteString("type", "Split");
        json.WriteStartObject("pattern");
        json.WriteString("Regex", pattern);
        json.WriteEndObject();
        json.WriteString("behavior", "Isolated");
        json.WriteBoolean("invert", false);
        json.WriteEndObject();
        json.WriteStartObject();
        WriteByteLevel(json, splits: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json, bool splits)
    {
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", splits);
        json.WriteEndObject();
    }

    // With a space before the first text only there is no normalizer for it: that is what Metaspace does.
    private static void WriteCharacters(Utf8JsonWriter json, TokenizerParts parts)
    {
        var metaspace = parts.Prefix == SpacePrefix.First;
        json.WriteStartObject("normalizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        if (parts.Composes)
        {
            Step(json, null, "NFC");
        }

        if (parts.Prefix == SpacePrefix.EverySegment)
        {
            Step(json, null, "Prepend", ("prepend", Mark));
        }

        if (!metaspace)
        {
            Replace(json, " ", Mark);
        }

        json.WriteEndArray();
        json.WriteEndObject();
        if (!metaspace)
        {
            json.WriteNull("pre_tokenizer");
            return;
        }

        json.WriteStartObject("pre_tokenizer");
        json.WriteString("type", "Metaspace");
        json.WriteString("replacement", Mark);
        json.WriteString("prepend_scheme", "first");
        json.WriteBoolean("split", false);
        json.WriteEndObject();
    }

    private static void WriteBegin(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        if (tokenizer.BosId is not { } begin)
        {
            json.WriteNull("post_processor");
            return;
        }

        var name = tokenizer.NameOf(begin);
        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        foreach (var (template, texts) in (ReadOnlySpan<(string, string[])>)[("single", ["A"]), ("pair", ["A", "B"])])
        {
            json.WriteStartArray(template);
            for (var type = 0; type < texts.Length; type++)
            {
                Piece(json, "SpecialToken", name, type);
                Piece(json, "Sequence", texts[type], type);
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("special_tokens");
        json.WriteStartObject(name);
        json.WriteString("id", name);
        json.WriteStartArray("ids");
        json.WriteNumberValue(begin);
        json.WriteEndArray();
        json.WriteStartArray("tokens");
        json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Piece(Utf8JsonWriter json, string kind, string id, int type)
    {
        json.WriteStartObject();
        json.WriteStartObject(kind);
        json.WriteString("id", id);
        json.WriteNumber("type_id", type);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteCharactersDecoder(Utf8JsonWriter json, TokenizerParts parts)
    {
        json.WriteStartObject("decoder");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("decoders");
        Replace(json, Mark, " ");
        Step(json, null, "ByteFallback");
        Step(json, null, "Fuse");
        if (parts.Prefix != SpacePrefix.Never)
        {
            json.WriteStartObject();
            json.WriteString("type", "Strip");
            json.WriteString("content", " ");
            json.WriteNumber("start", 1);
            json.WriteNumber("stop", 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Replace(Utf8JsonWriter json, string from, string to)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        json.WriteStartObject("pattern");
        json.WriteString("String", from);
        json.WriteEndObject();
        json.WriteString("content", to);
        json.WriteEndObject();
    }

    private static void Step(Utf8JsonWriter json, string? property, string type, params ReadOnlySpan<(string Name, string Value)> values)
    {
        if (property is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(property);
        }

        json.WriteString("type", type);
        foreach (var (name, value) in values)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
    }
}
