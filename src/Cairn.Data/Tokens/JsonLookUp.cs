using System.Text.Json;

namespace Cairn.Data;

/// <summary>Looks into JSON of unknown form: what is not there is an undefined element, and looking into that gives another.</summary>
internal static class JsonLookUp
{
    /// <summary>A property, or an undefined element.</summary>
    /// <param name="element">Anything.</param>
    /// <param name="name">Its name.</param>
    public static JsonElement Find(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : default;

    /// <summary>A property that is a text, or null.</summary>
    /// <param name="element">Anything.</param>
    /// <param name="name">Its name.</param>
    public static string? Text(this JsonElement element, string name) => element.Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <summary>True if a property is absent, null or false, or an empty text.</summary>
    /// <param name="element">Anything.</param>
    /// <param name="name">Its name.</param>
    public static bool Lacks(this JsonElement element, string name) =>
        element.Find(name).ValueKind is JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False || element.Text(name) == "";
}
