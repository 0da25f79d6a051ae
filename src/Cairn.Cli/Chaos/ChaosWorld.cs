using Cairn.Exchange;

namespace Cairn.Cli.Chaos;

/// <summary>What there is to be struck in a trial.</summary>
/// <param name="Nodes">The nodes of the run.</param>
/// <param name="Bucket">Where their objects are.</param>
/// <param name="Disk">A disk that can be filled, or null.</param>
/// <param name="Chain">The node of the chain that orders the ledger, or null.</param>
internal sealed record ChaosWorld(IReadOnlyList<ChaosNode> Nodes, IObjectStore Bucket, SmallDisk? Disk, LocalChain? Chain);
