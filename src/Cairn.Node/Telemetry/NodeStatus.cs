using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>What one node does and waits for: its file status.json, and what its health endpoint says.</summary>
/// <param name="Name">The node.</param>
/// <param name="Role">Peer or Validator.</param>
/// <param name="Run">The run.</param>
/// <param name="Round">The round that the ledger is in.</param>
/// <param name="Rounds">Rounds in all.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="Applied">Rounds that this node has applied.</param>
/// <param name="Height">Blocks it has seen.</param>
/// <param name="WaitsFor">What it waits for, in words.</param>
/// <param name="Whom">Names of those who have not yet acted in the stage, if it is others that it waits for.</param>
/// <param name="Since">Since when; UTC.</param>
/// <param name="Trouble">The last thing that went wrong and is not yet put right, or null.</param>
/// <param name="Utilisation">Of a peer: the part of the time since its first training in which there were inner steps to be done, 0 to 1; null before the second.</param>
/// <param name="Finished">True if the run is over.</param>
/// <param name="Halted">True if it stopped with a wrong replica.</param>
public sealed record NodeStatus(
    string Name, string Role, string Run, int Round, int Rounds, string Stage, int Applied, long Height, string WaitsFor, IReadOnlyList<string> Whom,
    DateTimeOffset Since, string? Trouble, double? Utilisation, bool Finished, bool Halted)
{
    /// <summary>What is wrong with the chain that orders the ledger, or with its nodes, and since when; null if nothing, and where there is no chain.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ChainTrouble? Chain { get; init; }

    /// <summary>The name of the file in the node's folder.</summary>
    public const string FileName = "status.json";

    private const long BytesMax = 1 << 20;

    /// <summary>True if it takes part: it has applied all that is closed, and nothing is wrong.</summary>
    [JsonIgnore]
    public bool IsReady => !Halted && Trouble is null && Chain is not { Waits: true } && Applied >= Round;

    /// <summary>One line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, NodeStatusJson.Default.NodeStatus);

    /// <summary>Reads what a node wrote, or null if it wrote nothing that can be read.</summary>
    /// <param name="folder">The node's folder.</param>
    public static NodeStatus? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= BytesMax
                ? JsonSerializer.Deserialize(File.ReadAllBytes(path), NodeStatusJson.Default.NodeStatus) : null;
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NodeStatus))]
internal sealed partial class NodeStatusJson : JsonSerializerContext;
