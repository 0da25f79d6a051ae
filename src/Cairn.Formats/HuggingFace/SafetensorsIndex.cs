using System.Text.Json;
using Cairn.Base;

namespace Cairn.Formats;

/// <summary>Which file of a folder holds which tensor, where a model is cut into several (model.safetensors.index.json).</summary>
internal static class SafetensorsIndex
{
    public const string FileName = "model.safetensors.index.json";

    private const int BytesMax = 16 << 20, FilesMax = 4096;
    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    /// <summary>The files that an index names, in their order of names.</summary>
    /// <param name="path">The index.</param>
    /// <exception cref="InputException">It is no index, or names what is not a file beside it.</exception>
    public static IReadOnlyList<string> FilesOf(string path)
    {
        using var file = FileBytes.Open(path);
        return FilesOf(file);
    }

    internal static IReadOnlyList<string> FilesOf(FileBytes file)
    {
        if (file.Length > BytesMax)
        {
            throw Refused(file, $"it has {file.Length} bytes, {BytesMax} are read");
        }

        try
        {
            using var document = JsonDocument.Parse(file.Part(0, (int)file.Length).ToArray());
            return Names(document.RootElement, file);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException($"{file.Path} is not JSON; fetch it again", e);
        }
    }

    /// <summary>Writes an index.</summary>
    public static void Write(Stream stream, IEnumerable<(string Tensor, string File)> places, long bytes)
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size", bytes);
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (tensor, name) in places)
        {
            json.WriteString(tensor, name);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static List<string> Names(JsonElement root, FileBytes file)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
        {
            throw Refused(file, "it has no weight_map");
        }

        foreach (var entry in map.EnumerateObject())
        {
            var name = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";

            // A name from elsewhere must not lead out of the folder.
            if (!name.EndsWith(".safetensors", StringComparison.Ordinal) || name.Length > 255 || name.Any(character => character is '/' or '\\' or ':' or '\0'))
            {
                throw Refused(file, $"it names '{name}', which is no safetensors file beside it");
            }

            names.Add(name);
            if (names.Count > FilesMax)
            {
                throw Refused(file, $"it names more than {FilesMax} files");
            }
        }

        return [.. names];
    }

    private static InputException Refused(FileBytes file, string reason) => new($"{file.Path} cannot be used: {reason}; fetch it again.");
}
