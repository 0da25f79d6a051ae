using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>The tokenizer.json of the Hugging Face tokenizers library, for byte pair encoding: what is written here is read there with the same ids.</summary>
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
            WriteAddedTokens(json, tokenizer);
            TokenizerJsonSteps.Write(json, tokenizer);
            WriteModel(json, tokenizer);
            json.WriteEndObject();
        }

        stream.Write("\n"u8);
    }

    private static void WriteAddedTokens(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        json.WriteStartArray("added_tokens");
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (tokenizer.Parts.Kinds[id] is not (TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown))
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteNumber("id", id);
            json.WriteString("content", tokenizer.NameOf(id));
            json.WriteBoolean("single_word", false);
            json.WriteBoolean("lstrip", false);
            json.WriteBoolean("rstrip", false);
            json.WriteBoolean("normalized", false);
            json.WriteBoolean("special", tokenizer.Parts.Kinds[id] != TokenKind.UserDefined);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteModel(Utf8JsonWriter json, Tokenizer tokenizer)
    {
        var characters = tokenizer.Parts.Family == TokenizerFamily.SentencePiece;
        var unknown = Enumerable.Range(0, tokenizer.VocabularySize).FirstOrDefault(id => tokenizer.Parts.Kinds[id] == TokenKind.Unknown, -1);
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        if (unknown >= 0)
        {
            json.WriteString("unk_token", tokenizer.NameOf(unknown));
        }
        else
        {
            json.WriteNull("unk_token");
        }

        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", characters);
        json.WriteBoolean("byte_fallback", characters);
        json.WriteBoolean("ignore_merges", tokenizer.Parts.WholeWordsFirst);
        json.WriteStartObject("vocab");
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            // What a model's embedding has beyond its tokenizer has no name.
            if (tokenizer.Parts.Kinds[id] != TokenKind.Unused)
            {
                json.WriteNumber(tokenizer.NameOf(id), id);
            }
        }

        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var merge in tokenizer.Parts.Merges)
        {
            json.WriteStringValue($"{tokenizer.NameOf(merge.Left)} {tokenizer.NameOf(merge.Right)}");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
