using System.Text.Json;

namespace Cairn.Web;

/// <summary>Fields of JSON that somebody else wrote: of the right kind and bounded, or null.</summary>
internal static class JsonFields
{
    private const int TextMax = 4096;

    /// <summary>An object or a list.</summary>
    public static JsonElement? Child(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child)
            && child.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? child : null;

    /// <summary>A text, cut where it is too long.</summary>
    public static string? Text(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.String
            && child.GetString() is { } text ? (text.Length <= TextMax ? text : text[..TextMax] + "…") : null;

    /// <summary>A whole number that fits.</summary>
    public static int? Whole(this JsonElement json, string name) => Value(json, name) is { } child && child.TryGetInt32(out var value) ? value : null;

    /// <summary>A long whole number.</summary>
    public static long? Long(this JsonElement json, string name) => Value(json, name) is { } child && child.TryGetInt64(out var value) ? value : null;

    /// <summary>A finite number.</summary>
    public static double? Number(this JsonElement json, string name) =>
        Value(json, name) is { } child && child.TryGetDouble(out var value) && double.IsFinite(value) ? value : null;

    /// <summary>A truth value; false if there is none.</summary>
    public static bool Flag(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.True;

    /// <summary>A time.</summary>
    public static DateTimeOffset? Instant(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.String
            && child.TryGetDateTimeOffset(out var time) ? time : null;

    /// <summary>The elements of a list, at most so many.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string name, int most) =>
        json.Child(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Take(most) : [];

    private static JsonElement? Value(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var child) && child.ValueKind == JsonValueKind.Number ? child : null;
}
