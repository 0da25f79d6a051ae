using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Protocol;

/// <summary>What <c>rules.json</c> holds: the rules and the digest the members signed.</summary>
/// <param name="Digest">Of <paramref name="Rules"/>.</param>
/// <param name="Rules">The rules.</param>
internal sealed record RunRulesDocument(Digest Digest, RunRules Rules);

/// <summary>The JSON form of the rules, for people and for joining.</summary>
public static class RunRulesFile
{
    /// <summary>The rules as indented JSON, digest first.</summary>
    /// <param name="rules">The rules.</param>
    public static byte[] Write(RunRules rules) =>
        JsonSerializer.SerializeToUtf8Bytes(new RunRulesDocument(rules.ComputeDigest(), rules), RulesJson.Default.RunRulesDocument);

    /// <summary>Reads rules and checks their digest and every relation among them.</summary>
    /// <param name="json">The content of a rules file.</param>
    /// <param name="source">Its name, for the message.</param>
    /// <exception cref="InputException">Not JSON of this form, another digest, or rules that cannot be run: all faults at once.</exception>
    public static RunRules Read(ReadOnlySpan<byte> json, string source)
    {
        RunRulesDocument? document;
        try
        {
            document = JsonSerializer.Deserialize(json, RulesJson.Default.RunRulesDocument);
        }
        catch (JsonException e)
        {
            throw new InputException($"{source} is not a rules file ({e.Message}): restore it from a copy of the run.", e);
        }

        if (document?.Rules is not { Model: not null, Data: not null, Training: not null, Sparse: not null, Round: not null, Money: not null } rules)
        {
            throw new InputException(
                $"{source} is not a rules file: a part is missing. Restore it from a copy of the run; " +
                "if an older version of this program began the run, go on with that.");
        }

        var digest = rules.ComputeDigest();
        if (digest != document.Digest)
        {
            throw new InputException(
                $"{source} was changed: its values give digest {digest.Short}, it names {document.Digest.Short}. Restore it from a copy of the run.");
        }

        var faults = rules.Faults();
        return faults.Count == 0 ? rules : throw new InputException($"{source} cannot be run: {string.Join("; ", faults)}.");
    }
}

/// <summary>Digests as hexadecimal text.</summary>
internal sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Digest.TryParse(reader.GetString(), out var digest)
            ? digest
            : throw new JsonException("a digest of 64 hexadecimal digits was expected.");

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, Converters = [typeof(DigestJsonConverter)])]
[JsonSerializable(typeof(RunRulesDocument))]
internal sealed partial class RulesJson : JsonSerializerContext;
