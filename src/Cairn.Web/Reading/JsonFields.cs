using System.Text.Json;

namespace Cairn.Web;

/// <summary>Fields of JSON that somebody else wrote: of the right kind and bounded, or null.</summary>
/// <remarks>Half of a surrogate pair and bytes that are no UTF-8 pass as JSON and are no text: the runtime throws where they are asked for, here they are null.</remarks>
internal static class JsonFields
{
    private const int TextMax = 4096;

    /// <summary>An object or a list.</summary>
    public static JsonElement? Child(this JsonElement json, string name) => Field(json, name, JsonValueKind.Object) ?? Field(json, name, JsonValueKind.Array);

    /// <summary>A text, cut where it is too long.</summary>
    public static string? Text(this JsonElement json, string name) => Field(json, name, JsonValueKind.String)?.Text();

    /// <summary>The text that an element is, cut where it is too long.</summary>
    public static string? Text(this JsonElement json)
    {
        try
        {
            return json.ValueKind == JsonValueKind.String && json.GetString() is { } text ? (text.Length <= TextMax ? text : text[..TextMax] + "…") : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A whole number that fits.</summary>
    public static int? Whole(this JsonElement json, string name) => Value(json, name) is { } child && child.TryGetInt32(out var value) ? value : null;

    /// <summary>A long whole number.</summary>
    public static long? Long(this JsonElement json, string name) => Value(json, name) is { } child && child.TryGetInt64(out var value) ? value : null;

    /// <summary>A finite number.</summary>
    public static double? Number(this JsonElement json, string name) =>
        Value(json, name) is { } child && child.TryGetDouble(out var value) && double.IsFinite(value) ? value : null;

    /// <summary>A truth value; false if there is none.</summary>
    public static bool Flag(this JsonElement json, string name) => Field(json, name, JsonValueKind.True) is not null;

    /// <summary>A time.</summary>
    public static DateTimeOffset? Instant(this JsonElement json, string name)
    {
        try
        {
            return Field(json, name, JsonValueKind.String) is { } child && child.TryGetDateTimeOffset(out var time) ? time : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The elements of a list, at most so many.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string name, int most) =>
        json.Child(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Take(most) : [];

    private static JsonElement? Value(JsonElement json, string name) => Field(json, name, JsonValueKind.Number);

    private static JsonElement? Field(JsonElement json, string name, JsonValueKind kind)
    {
        try
        {
            return json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) && child.ValueKind == kind ? child : null;
        }
        catch (InvalidOperationException)
        {
            // The name of another field is no text.
            return null;
        }
    }
}
