using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>The options of a training, kept beside its state, so that whoever goes on with it need not know them.</summary>
public static class SoloOptionsFile
{
    private const int BytesMax = 1 << 20;

    /// <summary>The options that a training in a folder was begun with.</summary>
    /// <param name="directory">The folder.</param>
    /// <returns>Null if none is kept there.</returns>
    /// <exception cref="InputException">The file cannot be read or is damaged.</exception>
    public static SoloOptions? Read(string directory)
    {
        var path = PathIn(directory);
        try
        {
            if (!File.Exists(path))
            {
                return null;
            }

            if (new FileInfo(path).Length > BytesMax)
            {
                throw new JsonException($"it has more than {BytesMax:N0} bytes");
            }

            var kept = JsonSerializer.Deserialize(File.ReadAllBytes(path), SoloJson.Default.SoloOptions);
            return kept is { Data: not null, Preset: not null, TextField: not null, Precision: not null } ? kept : throw new JsonException("a value is missing");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path} cannot be read ({e.Message}): delete it, and give the options of the training again.", e);
        }
    }

    /// <summary>Keeps the options, so that they mean the same from whatever folder the training goes on.</summary>
    /// <param name="options">Their folder is there.</param>
    internal static void Write(SoloOptions options) => DurableFile.Write(
        PathIn(options.Directory),
        JsonSerializer.SerializeToUtf8Bytes(
            options with { Data = [.. options.Data.Select(Path.GetFullPath)], Like = options.Like is { } run ? Path.GetFullPath(run) : null },
            SoloJson.Default.SoloOptions));

    private static string PathIn(string directory) => Path.Combine(directory, "training.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SoloOptions))]
internal sealed partial class SoloJson : JsonSerializerContext;
