using System.Text;
using System.Text.Json;
using Cairn.Base;

namespace Cairn.Evaluation;

/// <summary>One line of a task's file, with a sentence that names file, line and field for everything that is not as it should be.</summary>
internal readonly record struct JsonRecord(JsonElement Element, string Where)
{
    /// <summary>A text.</summary>
    public string Text(string field) => Get(field) is { ValueKind: JsonValueKind.String } value ? Legible(value, field) : throw Wrong(field, "a text");

    /// <summary>A text, or what stands for it where there is none.</summary>
    public string Text(string field, string otherwise) => Has(field) ? Text(field) : otherwise;

    /// <summary>A text or a number, as text: files of the same task differ in that.</summary>
    public string Word(string field) => Get(field) switch
    {
        { ValueKind: JsonValueKind.String } value => Legible(value, field),
        { ValueKind: JsonValueKind.Number } value => value.GetRawText(),
        _ => throw Wrong(field, "a text or a number"),
    };

    /// <summary>A list of texts.</summary>
    public string[] Texts(string field)
    {
        var (value, self) = (Get(field), this);
        return value is { ValueKind: JsonValueKind.Array } && value.EnumerateArray().All(one => one.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(one => self.Legible(one, field))]
            : throw Wrong(field, "a list of texts");
    }

    /// <summary>An object in the object.</summary>
    public JsonRecord Object(string field) => Get(field) is { ValueKind: JsonValueKind.Object } value ? this with { Element = value } : throw Wrong(field, "an object");

    /// <summary>A whole number that selects one of so many.</summary>
    public int Index(string field, int count, int first = 0) =>
        int.TryParse(Word(field), out var number) && number >= first && number < first + count
            ? number - first
            : throw Wrong(field, $"a number from {first} to {first + count - 1}");

    /// <summary>Whether there is such a field, and not null.</summary>
    public bool Has(string field) => Element.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A refusal.</summary>
    public InputException Wrong(string field, string expected) => new($"{Where}: field '{field}' must be {expected}; mend the line or leave it out.");

    private JsonElement Get(string field) => Element.TryGetProperty(field, out var value) ? value : default;

    // A lone surrogate is legal JSON and no text.
    private string Legible(JsonElement value, string field)
    {
        try
        {
            return value.GetString()!;
        }
        catch (Exception e) when (e is InvalidOperationException or DecoderFallbackException)
        {
            throw Wrong(field, "a text of valid characters");
        }
    }
}
