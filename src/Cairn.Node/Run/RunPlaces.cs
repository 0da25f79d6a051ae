using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>Where a run's ledger and common store are, if not in the run's own folder: the file run.json there.</summary>
/// <param name="Ledger">Path of the ledger, or null.</param>
/// <param name="Store">The common store, an S3 address or a folder, or null.</param>
/// <param name="Chain">The chain that orders the ledger, whose file follows it; or null.</param>
public sealed record RunPlaces(string? Ledger, string? Store, RunChain? Chain = null)
{
    /// <summary>The name of the file.</summary>
    public const string FileName = "run.json";

    private const long BytesMax = 1 << 16;

    /// <summary>Everything in the run's folder.</summary>
    public static RunPlaces Here { get; } = new(null, null);

    /// <summary>Reads the file; <see cref="Here"/> if there is none.</summary>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="InputException">It is damaged, or cannot be read.</exception>
    public static RunPlaces Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            if (!File.Exists(path))
            {
                return Here;
            }

            return new FileInfo(path).Length > BytesMax
                ? throw new InputException($"{path} is too long to be what cairn wrote: restore it from a copy.")
                : JsonSerializer.Deserialize(File.ReadAllBytes(path), RunPlacesJson.Default.RunPlaces) ?? Here;
        }
        catch (JsonException e)
        {
            throw new InputException($"{path} is damaged: {e.Message} Restore it from a copy, or join the run again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="folder">The run's folder.</param>
    public void Write(string folder) =>
        DurableFile.Write(Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, RunPlacesJson.Default.RunPlaces));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RunPlaces))]
internal sealed partial class RunPlacesJson : JsonSerializerContext;
