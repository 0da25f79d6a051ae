using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Simulation;

/// <summary>The JSON form of a scenario: what a shrunk failure is kept as.</summary>
public static class ScenarioFile
{
    /// <summary>Writes a scenario.</summary>
    /// <param name="scenario">Any.</param>
    public static string Write(Scenario scenario) => JsonSerializer.Serialize(scenario, ScenarioJson.Default.Scenario);

    /// <summary>Reads a scenario.</summary>
    /// <param name="json">The content of a file.</param>
    /// <param name="source">Its name, for the message.</param>
    /// <exception cref="InputException">Not of this form, or a scenario that cannot be run: all faults at once.</exception>
    public static Scenario Read(string json, string source)
    {
        Scenario? scenario;
        try
        {
            scenario = JsonSerializer.Deserialize(Encoding.UTF8.GetBytes(json), ScenarioJson.Default.Scenario);
        }
        catch (JsonException e)
        {
            throw new InputException($"{source} is no scenario ({e.Message}): give a file as 'cairn simulate' prints it for a seed that failed.", e);
        }

        var faults = scenario?.Faulty() ?? ["it is empty"];
        return faults.Count == 0 ? scenario! : throw new InputException($"{source} cannot be run: {string.Join("; ", faults)}.");
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Scenario))]
internal sealed partial class ScenarioJson : JsonSerializerContext;
