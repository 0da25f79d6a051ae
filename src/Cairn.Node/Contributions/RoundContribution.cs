using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;

namespace Cairn.Node;

/// <summary>What one peer's update did in one round, sequence by sequence: held-out loss without it less held-out loss with it, nats per token. Above 0 it
/// helped.</summary>
/// <param name="Uid">The peer.</param>
/// <param name="Peer">Its name.</param>
/// <param name="Weight">Its part of the round's weight, 0 to 1.</param>
/// <param name="TakenOut">Its own part taken out of the step, the others' as they were; null where the rule of combination is no sum of parts.</param>
/// <param name="LeftOut">The round as it would have been had the peer not been there: the others weigh more.</param>
/// <param name="Overlap">The largest part of its places that it shares with another update of the round, 0 to 1.</param>
/// <param name="SameAs">Names of peers that sent the same, to the last value.</param>
public sealed record PeerEffect(
    int Uid, string Peer, double Weight, IReadOnlyList<float>? TakenOut, IReadOnlyList<float> LeftOut, double Overlap, IReadOnlyList<string> SameAs);

/// <summary>A measured round: what lies in <c>contribution/000012.json</c> of a run's folder.</summary>
/// <param name="Round">The round.</param>
/// <param name="Base">The base before it: whoever measures again sees by it that this is of the same run.</param>
/// <param name="LossBefore">Held-out loss of that base, nats per token.</param>
/// <param name="LossAfter">Held-out loss of the base after it.</param>
/// <param name="Improved">Loss before less loss after, sequence by sequence.</param>
/// <param name="Peers">Ascending by uid.</param>
public sealed record RoundContribution(
    int Round, string Base, double LossBefore, double LossAfter, IReadOnlyList<float> Improved, IReadOnlyList<PeerEffect> Peers)
{
    private const long BytesMax = 256 << 20;

    /// <summary>Writes it whole or not at all.</summary>
    /// <param name="folder">Of the run's measured rounds.</param>
    public void Write(string folder) => DurableFile.Write(PathOf(folder, Round), JsonSerializer.SerializeToUtf8Bytes(this, ContributionJson.Default.RoundContribution));

    /// <summary>Reads a measured round.</summary>
    /// <param name="folder">Of the run's measured rounds.</param>
    /// <param name="round">Which.</param>
    /// <returns>Null if it was not measured, or the file is damaged: then it is measured again.</returns>
    public static RoundContribution? Read(string folder, Round round)
    {
        try
        {
            var file = new FileInfo(PathOf(folder, round.Number));
            return !file.Exists || file.Length > BytesMax ? null
                : JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), ContributionJson.Default.RoundContribution) is { Peers: not null, Improved: not null } read
                && read.Peers.All(peer => peer.LeftOut?.Count == read.Improved.Count && (peer.TakenOut?.Count ?? read.Improved.Count) == read.Improved.Count)
                ? read : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string PathOf(string folder, int round) => Path.Combine(folder, $"{round:D6}.json");
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RoundContribution))]
[JsonSerializable(typeof(ContributionAccount))]
internal sealed partial class ContributionJson : JsonSerializerContext;
