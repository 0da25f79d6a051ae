using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>The tokenizer.json of the Hugging Face tokenizers library, for byte-level byte pair encoding: what is written here is read there with the same ids.</summary>
internal static class TokenizerJson
{
    private const long FileBytesMax = 64L << 20;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It is missing, too large, damaged, or of another kind.</exception>
    public static Tokenizer Load(string path) => Parse(path, InputFile.ReadAll(path, FileBytesMax, "a tokenizer.json"));

    /// <summary>Reads the content of a file.</summary>
    /// <param name="path">Named in a refusal.</param>
    /// <param name="bytes">From anywhere.</param>
    /// <exception cref="InputException">It is damaged or of another kind.</exception>
    public static Tokenizer Parse(string path, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return new TokenizerJsonReader(path).Read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string in the file is no valid Unicode text.
            throw new InputException($"{path} is not a tokenizer.json: {e.Message} Give a byte-level BPE tokenizer.json, or train one with 'cairn tokenizer train'.", e);
        }
    }

    /// <summary>Writes a file.</summary>
    /// <param name="tokenizer">Any.</param>
    /// <param name="stream">Where to.</param>
    public static void Save(Tokenizer tokenizer, Stream stream)
    {
        // Relaxed escaping: the file is read by people and by JSON readers, never pasted into a page.
        var options = new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(stream, options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            WriteAddedTokens(json, tokenizer.Vocabulary);
            json.WriteNull("normalizer");
            WritePreTokenizer(json, tokenizer.PreTokenizer.Pattern);
            json.WriteNull("post_processor");
            json.WriteStartObject("decoder");
            WriteByteLevel(json);
            WriteModel(json, tokenizer.Vocabulary);
            json.WriteEndObject();
        }

        stream.Write("\n"u8);
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, Vocabulary vocabulary)
    {
        json.WriteStartArray("added_tokens");
        foreach (var id in vocabulary.SpecialIds)
        {
            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", vocabulary.Token(id));
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePreTokenizer(Utf8JsonWriter json, string pattern)
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
        WriteByteLevel(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter json)
    {
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", false);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", false);
        json.WriteEndObject();
    }

    private static void WriteModel(Utf8JsonWriter json, Vocabulary vocabulary)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteNull("unk_token");
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", false);
        json.WriteBoolean("byte_fallback", false);
        json.WriteBoolean("ignore_merges", vocabulary.WholeWordsFirst);
        json.WriteStartObject("vocab");
        for (var id = 0; id < vocabulary.Count; id++)
        {
            json.WriteNumber(NameOf(vocabulary, id), id);
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var merge in vocabulary.Merges)
        {
            json.WriteStringValue($"{NameOf(vocabulary, merge.Left)} {NameOf(vocabulary, merge.Right)}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string NameOf(Vocabulary vocabulary, int id) =>
        vocabulary.IsSpecial(id) ? Encoding.UTF8.GetString(vocabulary.Token(id)) : ByteAlphabet.ToText(vocabulary.Token(id));
}
