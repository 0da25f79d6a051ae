using System.Text.Json;
using Cairn.Base;

namespace Cairn.Data;

/// <summary>Reads .jsonl: one JSON object a line, of which one field is the text of a document.</summary>
internal static class JsonRecords
{
    /// <summary>The texts of a file.</summary>
    /// <param name="path">Named in a refusal.</param>
    /// <param name="content">Valid UTF-8.</param>
    /// <param name="field">The field.</param>
    /// <returns>In order; records whose text is empty are left out.</returns>
    /// <exception cref="InputException">A line is no JSON object or lacks the field, or no record has text.</exception>
    public static List<ReadOnlyMemory<byte>> Read(string path, ReadOnlyMemory<byte> content, string field)
    {
        var texts = new List<ReadOnlyMemory<byte>>();
        for (var (line, rest) = (1, content); !rest.IsEmpty; line++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var record = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (record.Span.IndexOfAnyExcept(" \t\r"u8) >= 0)
            {
                var text = ReadText(path, line, record.Span, field);
                if (text.Length > 0)
                {
                    texts.Add(text);
                }
            }
        }

        return texts.Count > 0 ? texts : throw new InputException($"{path} holds no text in field '{field}': name another field, or give another file.");
    }

    /// <summary>The text of one record.</summary>
    /// <exception cref="InputException">It is no JSON object or lacks the field.</exception>
    public static byte[] ReadText(string path, int line, ReadOnlySpan<byte> record, string field)
    {
        try
        {
            var reader = new Utf8JsonReader(record);
            byte[]? text = null;
            Require(reader.Read() && reader.TokenType == JsonTokenType.StartObject, path, line, field);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isText = reader.ValueTextEquals(field);
                Require(reader.Read() && (!isText || reader.TokenType == JsonTokenType.String), path, line, field);
                if (isText)
                {
                    text = Unescape(ref reader, record.Length);
                }

                reader.Skip();
            }

            Require(text != null && !reader.Read(), path, line, field);
            return text!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException($"{path} line {line} is no JSON record: {e.Message} Mend the line or leave it out.", e);
        }
    }

    private static byte[] Unescape(ref Utf8JsonReader reader, int lengthMax)
    {
        var buffer = new byte[lengthMax];
        return buffer[..reader.CopyString(buffer)];
    }

    private static void Require(bool condition, string path, int line, string field)
    {
        if (!condition)
        {
            throw new InputException($"{path} line {line} is no JSON object with a string field '{field}': name the field that holds the text.");
        }
    }
}
