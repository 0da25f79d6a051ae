using System.Text.Json.Serialization;

namespace Cairn.Cli;

/// <summary>What <c>generate --json</c> prints.</summary>
/// <param name="Text">Prompt and continuation.</param>
/// <param name="Tokens">Tokens generated.</param>
/// <param name="Seconds">Time it took.</param>
internal sealed record GeneratedText(string Text, int Tokens, double Seconds);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GeneratedText))]
[JsonSerializable(typeof(Cairn.Node.SoloReport))]
[JsonSerializable(typeof(Cairn.Ledger.YumaCheck))]
internal sealed partial class CliJson : JsonSerializerContext;
