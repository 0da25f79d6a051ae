using System.Text.Json.Serialization;
using Cairn.Base;
using Cairn.Ledger.Evm;

namespace Cairn.Node;

/// <summary>What a node of the chain had to do with an audit.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<AuditVoice>))]
public enum AuditVoice
{
    /// <summary>The run was read through it.</summary>
    Read,

    /// <summary>It has the same last block, and the same record of all that was said of the run up to there.</summary>
    Agrees,

    /// <summary>It has another block, or another record.</summary>
    Differs,

    /// <summary>It does not answer, or does not know that block.</summary>
    Silent,
}

/// <summary>A node of the chain in an audit.</summary>
/// <param name="Node">Its host.</param>
/// <param name="Voice">What it says.</param>
public sealed record AuditedNode(string Node, AuditVoice Voice);

/// <summary>Reads a run for an audit through one node of the chain, and has the others say whether it is so.</summary>
internal static class AuditSources
{
    /// <summary>Reads. A node that is outvoted is passed over for the next, as a follower does; where all are, the first that answers is read.</summary>
    /// <param name="chain">The nodes.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="run">Digest of the run's genesis.</param>
    /// <param name="confirmations">Blocks that must stand on the last one that is read.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The run, the node that it was read through, and what all of them say.</returns>
    /// <exception cref="ChainFaultException">No node answers properly.</exception>
    public static async Task<(ChainHistory History, int Node, IReadOnlyList<AuditedNode> Nodes)> ReadAsync(
        ChainClient chain, EvmAddress contract, Digest run, ulong confirmations, CancellationToken cancellation)
    {
        (ChainHistory History, int Node, IReadOnlyList<AuditedNode> Nodes)? first = null;
        ChainFaultException? trouble = null;
        for (var node = 0; node < chain.Endpoints.Count; node++)
        {
            try
            {
                var height = await chain.At(node).HeightAsync(cancellation);
                var history = await ChainHistory.ReadAsync(chain, contract, run, height - Math.Min(height, confirmations), cancellation, node);
                var nodes = await AskAsync(chain, contract, history, node, cancellation);
                first ??= (history, node, nodes);
                if (!IsOutvoted(nodes, node))
                {
                    return (history, node, nodes);
                }
            }
            catch (ChainFaultException fault)
            {
                trouble = fault;
            }
        }

        return first ?? throw trouble!;
    }

    private static async Task<IReadOnlyList<AuditedNode>> AskAsync(
        ChainClient chain, EvmAddress contract, ChainHistory history, int read, CancellationToken cancellation) =>
        await Task.WhenAll(Enumerable.Range(0, chain.Endpoints.Count).Select(async node => new AuditedNode(
            chain.Endpoints.NameOf(node),
            node == read ? AuditVoice.Read : await history.IsConfirmedAsync(chain.At(node), contract, cancellation) switch
            {
                true => AuditVoice.Agrees,
                false => AuditVoice.Differs,
                null => AuditVoice.Silent,
            })));

    // More against it than for it, or as many and one of those is named first.
    private static bool IsOutvoted(IReadOnlyList<AuditedNode> nodes, int read)
    {
        int[] against = [.. Enumerable.Range(0, nodes.Count).Where(node => nodes[node].Voice == AuditVoice.Differs)];
        int[] inFavour = [.. Enumerable.Range(0, nodes.Count).Where(node => node == read || nodes[node].Voice == AuditVoice.Agrees)];
        return against.Length > inFavour.Length || (against.Length == inFavour.Length && against[0] < inFavour[0]);
    }
}
