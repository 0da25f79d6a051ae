using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Ledger;

namespace Cairn.Node;

/// <summary>A node of this machine, as its status file tells.</summary>
/// <param name="Status">What it last wrote.</param>
/// <param name="Running">True if a process has the node now.</param>
public sealed record LocalNode(NodeStatus Status, bool Running);

/// <summary>Where a run stands and what it waits for, from its ledger and from the status files of the nodes on this machine.</summary>
/// <param name="Run">Its name.</param>
/// <param name="Round">The round.</param>
/// <param name="Rounds">Rounds in all.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="Paused">True if its validators have stopped it.</param>
/// <param name="Whom">Names of those whom the stage waits for.</param>
/// <param name="QuietSeconds">Seconds since the last block, by the file's time.</param>
/// <param name="Nodes">Nodes on this machine, by name.</param>
/// <param name="Unreadable">Those of them whose status file is there and cannot be read.</param>
/// <param name="Rules">Changes of its rules.</param>
public sealed record RunStatus(
    string Run, int Round, int Rounds, string Stage, bool Paused, IReadOnlyList<string> Whom, double QuietSeconds, IReadOnlyList<LocalNode> Nodes,
    IReadOnlyList<string> Unreadable, RulesSummary Rules)
{
    /// <summary>One line of JSON.</summary>
    public string ToJsonLine() => JsonSerializer.Serialize(this, RunStatusJson.Default.RunStatus);

    /// <summary>Reads it; writes nothing, and may be called while the run goes on.</summary>
    /// <param name="directory">The run.</param>
    /// <param name="time">To tell how long ago things were.</param>
    /// <exception cref="InputException">There is no run, or its files are damaged.</exception>
    public static RunStatus Read(RunDirectory directory, TimeProvider time)
    {
        var rules = RunSetup.ReadRules(directory);
        using var ledger = EmbeddedLedger.Open(directory.Ledger, readOnly: true);
        var state = LedgerHistory.Replay(ledger).State;
        var quiet = (time.GetUtcNow() - File.GetLastWriteTimeUtc(directory.Ledger)).TotalSeconds;
        var folders = Directory.Exists(directory.Node("")) ? Directory.GetDirectories(directory.Node("")) : [];
        var told = folders.Order(StringComparer.Ordinal).Where(folder => File.Exists(Path.Combine(folder, NodeStatus.FileName)))
            .Select(folder => (Name: Path.GetFileName(folder), Status: NodeStatus.Read(folder))).ToList();
        var nodes = told.Where(node => node.Status is not null).Select(node => new LocalNode(node.Status!, directory.IsRunning(node.Name)));
        return new RunStatus(
            rules.Name, state.CurrentRound.Number, rules.Round.Rounds, state.Stage.ToString(), state.Paused, RunObserver.NamesOf(state), Math.Max(0, quiet), [.. nodes],
            [.. told.Where(node => node.Status is null).Select(node => node.Name)], RulesSummary.Of(state));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RunStatus))]
internal sealed partial class RunStatusJson : JsonSerializerContext;
