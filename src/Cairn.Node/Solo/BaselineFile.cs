using System.Text.Json;
using Cairn.Base;
using Cairn.Protocol;

namespace Cairn.Node;

/// <summary>The curve of a training by one process so far and what its model writes: baseline.json in its folder, for whoever shows it beside a swarm.</summary>
public static class BaselineFile
{
    /// <summary>The name of the file.</summary>
    public const string Name = "baseline.json";

    private const long BytesMax = 16 << 20;

    /// <summary>Where the baseline of a run is looked for if nobody names another.</summary>
    /// <param name="run">The run.</param>
    public static string FolderOf(RunDirectory run) => Path.Combine(run.Root, "baseline");

    /// <summary>The file of a baseline that somebody names for a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="folder">Where the training lies.</param>
    /// <exception cref="InputException">None lies there, or it was trained on other text: then the losses cannot be compared.</exception>
    public static string For(RunDirectory run, string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), Name);
        if (Read(path) is not { } baseline)
        {
            throw new InputException($"{folder} holds no baseline: cairn train --like {run.Root} --dir {folder} makes one.");
        }

        return baseline.Data == RunRulesFile.Read(File.ReadAllBytes(run.Rules), run.Rules).Data.Manifest.ToString() ? path
            : throw new InputException($"the baseline in {folder} was trained on other text than the run in {run.Root}: their losses cannot be compared.");
    }

    /// <summary>Writes it.</summary>
    internal static void Write(string path, TrainingCurve curve) =>
        DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(curve, ComparisonJson.Default.TrainingCurve));

    /// <summary>Reads it; null if it is missing or no baseline.</summary>
    internal static TrainingCurve? Read(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= BytesMax
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), ComparisonJson.Default.TrainingCurve) is { Name: not null, Curve: not null } curve ? curve : null
                : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
