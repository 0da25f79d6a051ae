using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Cli;

/// <summary>What <c>generate --json</c> prints.</summary>
/// <param name="Text">Prompt and continuation.</param>
/// <param name="Tokens">Tokens generated.</param>
/// <param name="Seconds">Time it took.</param>
internal sealed record GeneratedText(string Text, int Tokens, double Seconds);

/// <summary>What <c>simulate --json</c> ends with.</summary>
/// <param name="Seeds">Seeds run.</param>
/// <param name="Failed">How many of them failed.</param>
/// <param name="FailedSeeds">Which.</param>
/// <param name="Log">Digest over the log of one run, or over the fingerprints of many.</param>
/// <param name="Events">Events of all.</param>
internal sealed record SimulationSummary(int Seeds, int Failed, ulong[] FailedSeeds, string Log, long Events)
{
    /// <summary>On one line.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, CliJson.Default.SimulationSummary);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GeneratedText))]
[JsonSerializable(typeof(SimulationSummary))]
[JsonSerializable(typeof(Cairn.Node.SoloReport))]
[JsonSerializable(typeof(Cairn.Node.NodeOutcome))]
[JsonSerializable(typeof(Cairn.Node.RunEvent))]
[JsonSerializable(typeof(Chaos.ChaosReport))]
[JsonSerializable(typeof(Cairn.Node.WanModel))]
[JsonSerializable(typeof(Cairn.Node.MemoryReport))]
[JsonSerializable(typeof(Wan.WanReport))]
[JsonSerializable(typeof(IReadOnlyList<Cairn.Node.PublishedRuns.Claim>))]
[JsonSerializable(typeof(Cairn.Bench.ServeStressReport))]
[JsonSerializable(typeof(Cairn.Node.AuditReport))]
[JsonSerializable(typeof(Cairn.Ledger.YumaCheck))]
internal sealed partial class CliJson : JsonSerializerContext;
