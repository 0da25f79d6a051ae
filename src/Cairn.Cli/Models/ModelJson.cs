using System.Text.Json.Serialization;

namespace Cairn.Cli;

/// <summary>What <c>checkpoint verify</c> prints.</summary>
/// <param name="Path">Where the model lies.</param>
/// <param name="Parameters">How many; all finite.</param>
/// <param name="Base">The digest of the parameters.</param>
/// <param name="Checkpoint">The digest of shape and parameters.</param>
/// <param name="Pieces">True if the list of pieces agrees; null without one.</param>
internal sealed record VerifiedModel(string Path, long Parameters, string Base, string Checkpoint, bool? Pieces);

/// <summary>What the verbs about models print as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelDescription))]
[JsonSerializable(typeof(VerifiedModel))]
[JsonSerializable(typeof(Cairn.Formats.ModelComparison))]
internal sealed partial class ModelJson : JsonSerializerContext;
