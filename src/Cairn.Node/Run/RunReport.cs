using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Node;

/// <summary>One peer's line of the report.</summary>
/// <param name="Peer">Its name.</param>
/// <param name="Accepted">Updates that stood in a manifest.</param>
/// <param name="Rejected">Updates that were refused or missing.</param>
/// <param name="Share">Its part of all rewards so far, 0 to 1.</param>
public sealed record PeerReport(string Peer, int Accepted, int Rejected, double Share);

/// <summary>How busy a peer was.</summary>
/// <param name="Peer">Its name.</param>
/// <param name="Utilisation">The part of the time of its rounds in which there were inner steps to be done, 0 to 1.</param>
public sealed record PeerUtilisation(string Peer, double Utilisation);

/// <summary>What <c>report.json</c> holds.</summary>
/// <param name="Rounds">Rounds applied.</param>
/// <param name="Peers">Peers of the run.</param>
/// <param name="Tokens">Tokens trained on in accepted updates.</param>
/// <param name="Seconds">Time spent in the run by all processes that worked on it.</param>
/// <param name="TokensPerSecond">Their quotient.</param>
/// <param name="LossInitial">Held-out loss of the initial parameters, nats per token.</param>
/// <param name="LossFinal">Held-out loss now.</param>
/// <param name="BitsPerByteInitial">The same in bits per byte of text.</param>
/// <param name="BitsPerByteFinal">The same in bits per byte of text.</param>
/// <param name="BaseDigest">Merkle root over the parameters after the last of these rounds.</param>
/// <param name="DigestAgreement">True if every member posted the same base after every round.</param>
/// <param name="BytesPerUpdate">Mean size of an update as sent.</param>
/// <param name="BitsPerValue">Bits of an update per value it holds.</param>
/// <param name="CompressionVsFp32">Dense fp32 bytes divided by an update's.</param>
/// <param name="PerPeer">A line per peer.</param>
/// <param name="Utilisation">A line for each peer that was seen to train twice in one process.</param>
public sealed record RunReport(
    int Rounds, int Peers, long Tokens, double Seconds, double TokensPerSecond, double LossInitial, double LossFinal,
    double BitsPerByteInitial, double BitsPerByteFinal, string BaseDigest, bool DigestAgreement,
    double BytesPerUpdate, double BitsPerValue, double CompressionVsFp32, IReadOnlyList<PeerReport> PerPeer,
    IReadOnlyList<PeerUtilisation>? Utilisation = null)
{
    /// <summary>Indented JSON, names in camel case.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ReportJson.Default.RunReport);

    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, ReportLineJson.Default.RunReport);

    /// <summary>Reads a report.</summary>
    /// <param name="json">The file's content.</param>
    /// <returns>Null if it is none.</returns>
    public static RunReport? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ReportJson.Default.RunReport);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class ReportJson : JsonSerializerContext;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunReport))]
internal sealed partial class ReportLineJson : JsonSerializerContext;
